using System.Globalization;
using System.Text;

namespace Sketch.Storage.Sql;

/// <summary>
/// A statement that asks for live_values, or for live_values(confidence = 0.999): what texts it names, which may be namespaces and counters, and the same statement over
/// a cut. Nothing is understood of it but its tokens; the gate still judges what comes out.
/// </summary>
public sealed class LiveStatement
{
    /// <summary>The view's name.</summary>
    public const string View = "live_values";

    private readonly byte[] _text;
    private readonly List<(int Start, int End)> _views = [];

    private LiveStatement(byte[] text) => _text = text;

    /// <summary>Every string in quotes in the statement and its parameters.</summary>
    public HashSet<string> Literals { get; } = new(StringComparer.Ordinal);

    /// <summary>The confidence of the bounds that the statement asks for; null when it does not say.</summary>
    public double? Confidence { get; private set; }

    /// <summary>Null when the statement does not name the view, or cannot be read for certain.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="parameters">The values of its parameters.</param>
    /// <exception cref="LiveConfidenceException">Its confidence is none, or it asks for more than one.</exception>
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
        LiveStatement statement = new(text);
        if (tokens[^1].Kind == SqlTokenKind.Invalid || !tokens.Exists(t => IsView(text, t)))
        {
            return null;
        }

        statement.AddViews(tokens);
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
        foreach ((int start, int end) in _views)
        {
            sql.Append(Encoding.UTF8.GetString(_text, at, start - at)).Append(table);
            at = end;
        }

        return sql.Append(Encoding.UTF8.GetString(_text.AsSpan(at))).ToString();
    }

    private void AddViews(List<SqlToken> tokens)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            if (!IsView(_text, tokens[i]))
            {
                continue;
            }

            int end = i;
            if (Is(tokens, i + 1, "(") && Is(tokens, i + 2, "confidence") && Is(tokens, i + 3, "=") && tokens.FindIndex(i + 4, t => IsClosing(t)) is > 0 and int close)
            {
                // A number with a fraction is more than one token.
                Choose(Encoding.UTF8.GetString(_text, tokens[i + 4].Start, tokens[close].Start - tokens[i + 4].Start).TrimEnd());
                end = close;
            }

            _views.Add((tokens[i].Start, tokens[end].End));
        }
    }

    private void Choose(string text)
    {
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double confidence) || confidence is not (> 0.5 and < 1))
        {
            throw new LiveConfidenceException($"confidence of live_values is {text}; allowed: a number above 0.5 and below 1");
        }

        if (Confidence is { } before && before != confidence)
        {
            throw new LiveConfidenceException(
                string.Create(CultureInfo.InvariantCulture, $"confidence of live_values is {confidence} after {before}; allowed: one in a statement"));
        }

        Confidence = confidence;
    }

    private bool IsClosing(SqlToken token) => token.Kind == SqlTokenKind.Symbol && _text[token.Start] == ')';

    private bool Is(List<SqlToken> tokens, int at, string word) =>
        at < tokens.Count && Encoding.UTF8.GetString(_text, tokens[at].Start, tokens[at].Length).Equals(word, StringComparison.OrdinalIgnoreCase);

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
