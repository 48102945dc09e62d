using System.Text.Json;

namespace Sketch.Engine.Fold;

/// <summary>
/// The payload of an expiring record, JSON as removals are. From here on whoever increments one of these counters says its name, which saves it from the removal that
/// refers to this record. It takes the place of any earlier one.
/// </summary>
/// <param name="Namespace">Whose counters.</param>
/// <param name="Names">Their names; none ends what an earlier record began.</param>
internal sealed record ExpiringRecord(string Namespace, IReadOnlyList<string> Names)
{
    /// <summary>So many of the longest names fit into a record, however JSON escapes them.</summary>
    public const int MostNames = 2_048;

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, RemovalJson.Default.ExpiringRecord);

    /// <exception cref="InvalidDataException">Not readable: another release's log.</exception>
    public static ExpiringRecord From(ReadOnlySpan<byte> payload)
    {
        try
        {
            return JsonSerializer.Deserialize(payload, RemovalJson.Default.ExpiringRecord)
                ?? throw new InvalidDataException("The log holds an empty record of expiring counters.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("The log holds a record of expiring counters that this release can't read.", e);
        }
    }
}
