namespace Sketch.Server.Commands.Load;

/// <summary>An increment as a row of a file says it; its bytes are valid until the next row.</summary>
internal ref struct LoadRow
{
    /// <summary>What may name a counter.</summary>
    public const string NameColumns = "name, counter";

    /// <summary>What may say by how much; value is what tables of ours call it.</summary>
    public const string DeltaColumns = "delta, value";

    /// <summary>What may say an element; item is what tables of ours call it.</summary>
    public const string ElementColumns = "element, item";

    /// <summary>All of them, for messages.</summary>
    public const string Columns = $"{NameColumns}, {DeltaColumns}, {ElementColumns}";

    /// <summary>The counter's name.</summary>
    public ReadOnlySpan<byte> Name;

    /// <summary>What is counted at the counter; empty when it is a sum.</summary>
    public ReadOnlySpan<byte> Element;

    /// <summary>By how much; null means what is usual of the counter's kind.</summary>
    public long? Delta;

    /// <summary>What a column or member is for.</summary>
    /// <returns>Null when it is none of ours.</returns>
    public static Part? PartOf(ReadOnlySpan<byte> column) => column switch
    {
        _ when column.SequenceEqual("name"u8) || column.SequenceEqual("counter"u8) => Part.Name,
        _ when column.SequenceEqual("delta"u8) || column.SequenceEqual("value"u8) => Part.Delta,
        _ when column.SequenceEqual("element"u8) || column.SequenceEqual("item"u8) => Part.Element,
        _ => null,
    };

    /// <summary>A part of an increment.</summary>
    internal enum Part
    {
        Name,
        Delta,
        Element,
    }
}
