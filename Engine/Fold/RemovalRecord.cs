using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sketch.Engine.Fold;

/// <summary>The payload of a removal record: JSON, as definitions are.</summary>
/// <param name="Namespace">Whose counters.</param>
/// <param name="Names">Their names.</param>
/// <param name="Deleted">Whether they are gone; else they only begin anew at zero.</param>
/// <param name="Expiring">The position of an expiring record: only those go that it names and nobody incremented since. Null when they go whatever came.</param>
internal sealed record RemovalRecord(string Namespace, IReadOnlyList<string> Names, bool Deleted, long? Expiring = null)
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

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RemovalRecord))]
[JsonSerializable(typeof(ExpiringRecord))]
internal sealed partial class RemovalJson : JsonSerializerContext;
