using System.Text.Json;
using System.Text.Json.Serialization;
using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Fold;

/// <summary>The payload of a definition record: JSON, because it is rare and should be readable in ten years. One of the two is set.</summary>
internal sealed record DefinitionRecord(NamespaceDefinition? Namespace, CounterRecord? Counter)
{
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, DefinitionJson.Default.DefinitionRecord);

    /// <exception cref="InvalidDataException">Not readable: another release's log.</exception>
    public static DefinitionRecord From(ReadOnlySpan<byte> payload)
    {
        try
        {
            return JsonSerializer.Deserialize(payload, DefinitionJson.Default.DefinitionRecord)
                ?? throw new InvalidDataException("The log holds an empty definition.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("The log holds a definition that this release can't read.", e);
        }
    }
}

/// <summary>A counter's definition and whose it is.</summary>
/// <param name="Namespace">Whose it is.</param>
/// <param name="Definition">As its owner defines it.</param>
/// <param name="Generation">In snapshots: <see cref="CounterState.Generation"/>.</param>
internal sealed record CounterRecord(string Namespace, CounterDefinition Definition, long? Generation = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(DefinitionRecord))]
[JsonSerializable(typeof(List<DefinitionRecord>))]
internal sealed partial class DefinitionJson : JsonSerializerContext;
