using System.Text;

namespace Sketch.Engine.Catalogue;

/// <summary>The order of names' UTF-8 bytes, which is what the store sorts by; UTF-16 order differs beyond U+FFFF.</summary>
internal sealed class Utf8Order : IComparer<string>
{
    public static readonly Utf8Order Instance = new();

    public int Compare(string? x, string? y) => Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
}
