namespace Sketch.Storage.Sql;

/// <summary>What a token of SQL is.</summary>
internal enum SqlTokenKind : byte
{
    End,
    Word,
    QuotedIdentifier,
    String,
    Number,
    Symbol,
    Invalid,
}

/// <summary>A token: a piece of a text in UTF-8.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">How many bytes it has, quotes included.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, int Start, int Length)
{
    public int End => Start + Length;
}
