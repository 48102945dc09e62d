using System.Text.Json;
using System.Text.Json.Serialization;
using Sketch.Engine.Log;

namespace Sketch.Realtime.Alerts;

/// <summary>
/// The rules and which of them fire, in one JSON file of the data folder that only its owner may read, since it holds the webhooks' secrets. Replaced as a whole: written beside, synced,
/// renamed, so that a loss of power leaves the old content or the new one.
/// </summary>
internal sealed class AlertFile(string folder)
{
    private const int Version = 1;
    private const string FileName = "alerts.json";
    private const string NewName = "alerts.json.new";

    private readonly LinuxDisk _disk = new();

    /// <summary>What is kept; nothing when there is no file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or of another release.</exception>
    public Content Read()
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return new Content(Version, [], []);
        try
        {
            using var file = _disk.Open(path);
            byte[] bytes = new byte[file.Length];
            int read = file.Read(bytes, 0);
            return JsonSerializer.Deserialize(bytes.AsSpan(0, read), AlertFileJson.Default.Content) is { Version: Version, Rules: not null } content
                ? content
                : throw new InvalidDataException($"{path} is of another release; allowed: version {Version}.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} is damaged ({failure.Message}); mend it, or delete it to go on without alerts.", failure);
        }
    }

    /// <summary>Replaces what is kept; when this returns, it survives a loss of power.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Write(IReadOnlyList<AlertRule> rules, IReadOnlyList<FiringAlert> firing)
    {
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(new Content(Version, rules, firing), AlertFileJson.Default.Content);
        string fresh = Path.Combine(folder, NewName);
        if (File.Exists(fresh))
            _disk.Delete(fresh);
        using (var file = _disk.Create(fresh))
        {
            file.Write(bytes, 0);
            file.Sync();
        }

        _disk.Rename(fresh, Path.Combine(folder, FileName));
        _disk.SyncFolder(folder);
    }

    /// <param name="Version">Of the format.</param>
    /// <param name="Rules">All rules.</param>
    /// <param name="Firing">Those that everyone was told of; absent in files of releases that did not keep it.</param>
    internal sealed record Content(int Version, IReadOnlyList<AlertRule> Rules, IReadOnlyList<FiringAlert>? Firing);
}

/// <summary>An alert that fires.</summary>
/// <param name="Namespace">The rule's namespace.</param>
/// <param name="Id">The rule.</param>
/// <param name="Since">Since when, UTC.</param>
internal sealed record FiringAlert(string Namespace, string Id, DateTime Since);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(AlertFile.Content))]
internal sealed partial class AlertFileJson : JsonSerializerContext;
