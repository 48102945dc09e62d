namespace Sketch.Storage.Store;

/// <summary>Which counters a cut is of.</summary>
/// <param name="Namespaces">Of these namespaces.</param>
/// <param name="Names">Only those of these names; null for all.</param>
public sealed record CutChoice(IReadOnlyList<string> Namespaces, IReadOnlyList<string>? Names)
{
    /// <summary>Equal for equal choices.</summary>
    internal string Key => string.Join('\0', Namespaces) + (Names is null ? "" : "\0\0" + string.Join('\0', Names));
}
