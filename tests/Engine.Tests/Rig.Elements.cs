using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

/// <content>Elements.</content>
internal sealed partial class Rig
{
    public async Task Define(string name, CounterKind kind, Tier? tier = null, int? k = null) =>
        Assert.Null(await Engine.DefineCounterAsync(Namespace, new CounterDefinition(name, kind, tier, K: k), CancellationToken.None));

    public async Task<IncrementResult> SendElements(string? producer, long sequence, params (string Name, string? Element, long? Delta)[] rows)
    {
        using IncrementBatch batch = Engine.RentBatch(Namespace)!;
        foreach ((string name, string? element, long? delta) in rows)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            Assert.Null(element is null ? batch.Add(utf8, delta ?? 1) : batch.AddElement(utf8, Encoding.UTF8.GetBytes(element), delta));
        }

        return await Engine.CommitAsync(batch, producer, sequence, CancellationToken.None);
    }

    public async Task AddElements(string name, params IEnumerable<string> elements)
    {
        foreach (string[] some in elements.Chunk(5_000))
        {
            IncrementResult result = await SendElements(null, 0, [.. some.Select(e => (name, (string?)e, (long?)null))]);
            Assert.Equal(IncrementStatus.Accepted, result.Status);
        }
    }

    public async Task Delete(string name) => Assert.Null(await Engine.DeleteCounterAsync(Namespace, name, CancellationToken.None));

    public async Task Reset(string name) => Assert.Null(await Engine.ResetCounterAsync(Namespace, name, CancellationToken.None));

    /// <summary>A node, not started yet, with this one's log and secret and an empty store; this one must be stopped.</summary>
    public Rig Replayed()
    {
        Rig rig = new(_sketchBytes, _isTight);
        foreach (string path in Directory.GetFiles(Path.Combine(_folder, "log")).Append(Path.Combine(_folder, "engine", "secret")))
        {
            string into = Path.Combine(rig._folder, Path.GetRelativePath(_folder, path));
            Directory.CreateDirectory(Path.GetDirectoryName(into)!);
            File.Copy(path, into);
        }

        rig.Time.SetUtcNow(Time.GetUtcNow());
        return rig;
    }
}
