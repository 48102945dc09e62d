using System.Collections.Frozen;

namespace Sketch.Engine.Catalogue;

/// <summary>Members of an enumeration as users and ClickHouse write them; each text is made once.</summary>
/// <typeparam name="T">The enumeration.</typeparam>
internal static class Lowercase<T>
    where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> Texts = Enum.GetValues<T>().ToFrozenDictionary(member => member, member => member.ToString().ToLowerInvariant());

    /// <summary>A member's text.</summary>
    public static string Of(T member) => Texts[member];
}
