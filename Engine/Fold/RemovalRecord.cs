using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sketch.Engine.Fold;

/// <summary>The payload of a removal record: JSON, as definitions are.</summary>
/// <param name="Namespace">Whose counters.</param>
/// <param name="Names">Their names.</param>
/// <param name="Deleted">Whether they are gone; else they only begin anew at zero.</param>
internal sealed record RemovalRecord(string Namespace, IReadOnlyList<string> Names, bool Deleted)
{
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, RemovalJson.Default.RemovalRecord);

    /// <exception cref="InvalidDataException">Not readable: another release's log.</exception>
    public static RemovalRecord From(ReadOnlySpan<byte> payload)
    {
        try
        {
            return JsonSerializer.Deserialize(payload, RemovalJson.Default.RemovalRecord)
                ?? throw new InvalidDataException("The log holds an empty removal.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("The log holds a removal that this release can't read.", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RemovalRecord))]
internal sealed partial class RemovalJson : JsonSerializerContext;
