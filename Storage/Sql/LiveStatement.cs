using System.Text;

namespace Sketch.Storage.Sql;

/// <summary>
/// A statement that asks for live_values: what texts it names, which may be namespaces and counters, and the same statement over a cut. Nothing is
/// understood of it but its tokens; the gate still judges what comes out.
/// </summary>
public sealed class LiveStatement
{
    /// <summary>The view's name.</summary>
    public const string View = "live_values";

    private readonly byte[] _text;
    private readonly List<SqlToken> _tokens;

    private LiveStatement(byte[] text, List<SqlToken> tokens)
    {
        _text = text;
        _tokens = tokens;
    }

    /// <summary>Every string in quotes in the statement and its parameters.</summary>
    public HashSet<string> Literals { get; } = new(StringComparer.Ordinal);

    /// <summary>Null when the statement does not name the view, or cannot be read for certain.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="parameters">The values of its parameters.</param>
    public static LiveStatement? TryParse(string sql, IEnumerable<string> parameters)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(parameters);
        if (!sql.Contains(View, StringComparison.Ordinal) || sql.Length > SqlGate.MaxBytes)
        {
            return null;
        }

        byte[] text = Encoding.UTF8.GetBytes(sql);
        List<SqlToken> tokens = SqlTokenizer.All(text);
        LiveStatement statement = new(text, tokens);
        if (tokens[^1].Kind == SqlTokenKind.Invalid || !tokens.Exists(t => IsView(text, t)))
        {
            return null;
        }

        statement.AddLiterals(text, tokens);
        foreach (string value in parameters)
        {
            statement.Literals.Add(value);
            byte[] bytes = Encoding.UTF8.GetBytes(value);
            statement.AddLiterals(bytes, SqlTokenizer.All(bytes)); // ['a', 'b']
        }

        return statement;
    }

    /// <summary>The statement over another table in the view's place.</summary>
    /// <param name="table">The table.</param>
    public string Over(string table)
    {
        StringBuilder sql = new(_text.Length + 256);
        int at = 0;
        foreach (SqlToken token in _tokens.Where(t => IsView(_text, t)))
        {
            sql.Append(Encoding.UTF8.GetString(_text, at, token.Start - at)).Append(table);
            at = token.End;
        }

        return sql.Append(Encoding.UTF8.GetString(_text.AsSpan(at))).ToString();
    }

    private void AddLiterals(byte[] text, List<SqlToken> tokens)
    {
        foreach (SqlToken token in tokens.Where(t => t.Kind == SqlTokenKind.String))
        {
            Literals.Add(Unquote(Encoding.UTF8.GetString(text, token.Start + 1, token.Length - 2)));
        }
    }

    private static bool IsView(byte[] text, SqlToken token) => token.Kind switch
    {
        SqlTokenKind.Word => text.AsSpan(token.Start, token.Length).SequenceEqual("live_values"u8),
        SqlTokenKind.QuotedIdentifier => text.AsSpan(token.Start + 1, token.Length - 2).SequenceEqual("live_values"u8),
        _ => false,
    };

    private static string Unquote(string text)
    {
        text = text.Replace("''", "'", StringComparison.Ordinal);
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        StringBuilder plain = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            bool isEscaped = text[i] == '\\' && i + 1 < text.Length;
            char c = isEscaped ? text[++i] : text[i];
            plain.Append(isEscaped ? c switch { 't' => '\t', 'n' => '\n', 'r' => '\r', '0' => '\0', _ => c } : c);
        }

        return plain.ToString();
    }
}
