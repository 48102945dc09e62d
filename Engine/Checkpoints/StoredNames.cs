namespace Sketch.Engine.Checkpoints;

/// <summary>Names of counters of one namespace, as the store knows them, in one piece. Their ids follow from them (<see cref="Catalogue.CounterId"/>).</summary>
/// <param name="Namespace">Their namespace.</param>
/// <param name="Text">Where the names lie, in UTF-8.</param>
/// <param name="Places">Where in the text each name is.</param>
/// <param name="AreDeleted">True when the counters are gone, but their totals are not.</param>
public readonly record struct StoredNames(
    string Namespace, ReadOnlyMemory<byte> Text, ReadOnlyMemory<TextPlace> Places, bool AreDeleted = false)
{
    /// <summary>How many there are.</summary>
    public int Count => Places.Length;

    /// <summary>A name in UTF-8.</summary>
    /// <param name="index">Which.</param>
    public ReadOnlySpan<byte> Name(int index)
    {
        TextPlace place = Places.Span[index];
        return Text.Span.Slice(place.Start, place.Length);
    }
}

/// <summary>A piece of text in a longer one.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">Its bytes.</param>
public readonly record struct TextPlace(int Start, int Length);
