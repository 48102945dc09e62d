using System.Text;
using Sketch.Engine.Checkpoints;

namespace Sketch.Tests.Engine;

/// <summary>Names as a store brings them.</summary>
internal static class NamesInOnePiece
{
    public static StoredNames Of(string @namespace, IReadOnlyCollection<string> names, bool areDeleted = false)
    {
        List<TextPlace> places = [];
        int start = 0;
        foreach (string name in names)
        {
            places.Add(new TextPlace(start, Encoding.UTF8.GetByteCount(name)));
            start += places[^1].Length;
        }

        return new StoredNames(@namespace, Encoding.UTF8.GetBytes(string.Concat(names)), places.ToArray(), areDeleted);
    }
}
