namespace Sketch.Storage.Sql;

/// <summary>An INSERT whose data follows its text, taken apart.</summary>
/// <param name="SqlLength">Bytes of the statement without its FORMAT or VALUES.</param>
/// <param name="Format">The data's format.</param>
/// <param name="DataStart">Where the data begins.</param>
internal readonly record struct InsertStatement(int SqlLength, string Format, int DataStart)
{
    /// <summary>
    /// Finds the end of "INSERT INTO ... FORMAT Name" or "... VALUES" at the start of a text. False for every other statement, among them
    /// INSERT ... SELECT.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out InsertStatement statement)
    {
        statement = default;
        SqlTokenizer tokenizer = new(text);
        if (!Is(text, tokenizer.Next(), "INSERT"))
        {
            return false;
        }

        int depth = 0;
        for (SqlToken token = tokenizer.Next(); token.Kind is not (SqlTokenKind.End or SqlTokenKind.Invalid); token = tokenizer.Next())
        {
            if (token.Kind == SqlTokenKind.Symbol)
            {
                depth += text[token.Start] switch { (byte)'(' => 1, (byte)')' => -1, _ => 0 };
            }
            else if (depth == 0 && Is(text, token, "VALUES"))
            {
                statement = new InsertStatement(token.Start, "Values", token.End);
                return true;
            }
            else if (depth == 0 && Is(text, token, "FORMAT"))
            {
                SqlToken name = tokenizer.Next();
                if (name.Kind == SqlTokenKind.Word)
                {
                    statement = new InsertStatement(token.Start, SqlTokenizer.Text(text, name), SkipLineEnd(text, name.End));
                    return true;
                }
            }
            else if (Is(text, token, "SELECT") || Is(text, token, "WITH"))
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>True when a token is this word, in either case.</summary>
    internal static bool Is(ReadOnlySpan<byte> text, SqlToken token, string word) =>
        token.Kind == SqlTokenKind.Word && System.Text.Ascii.EqualsIgnoreCase(text.Slice(token.Start, token.Length), word);

    private static int SkipLineEnd(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\t' or (byte)'\f')
        {
            at++;
        }

        at += at < text.Length && text[at] == '\r' ? 1 : 0;
        return at + (at < text.Length && text[at] == '\n' ? 1 : 0);
    }
}
