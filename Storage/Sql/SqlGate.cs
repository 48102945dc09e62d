using System.Text;

namespace Sketch.Storage.Sql;

/// <summary>
/// What an analyst may ask: one statement that reads the counters' tables, with functions from a list, and nothing that reaches files, the
/// network, other databases or the limits. The engine's own readonly mode is no such boundary (scalar file() and INTO OUTFILE pass it).
/// It works on tokens, before the engine parses: what it cannot read for certain it refuses, and it hands on a text without
/// comments, so that the two cannot understand them differently.
/// </summary>
public static class SqlGate
{
    /// <summary>The longest statement, bytes of UTF-8.</summary>
    public const int MaxBytes = 256 << 10;

    /// <summary>Checks a statement.</summary>
    /// <param name="sql">As the reader sent it.</param>
    /// <returns>The statement to run: the same without comments and closing semicolon.</returns>
    /// <exception cref="SqlRefusedException">Readers may not run it; the message says what and why.</exception>
    public static string Check(string sql)
    {
        byte[] text = Encoding.UTF8.GetBytes(sql);
        if (text.Length > MaxBytes)
        {
            throw new SqlRefusedException($"the statement has {text.Length} bytes; allowed: {MaxBytes}");
        }

        List<SqlToken> tokens = SqlTokenizer.All(text);
        if (tokens[^1].Kind == SqlTokenKind.Invalid)
        {
            throw new SqlRefusedException(
                $"the statement cannot be read for certain at byte {tokens[^1].Start}: outside of quotes only ASCII without $ and \\ is allowed");
        }

        tokens.RemoveAt(tokens.Count - 1);
        while (tokens.Count > 0 && IsSymbol(text, tokens[^1], ';'))
        {
            tokens.RemoveAt(tokens.Count - 1);
        }

        CheckOpening(text, tokens);
        for (int i = 0; i < tokens.Count; i++)
        {
            CheckToken(text, tokens, i);
        }

        return Rebuild(text, tokens);
    }

    /// <summary>True when readers may set it as a parameter of the request, where limits are held within the reader's own.</summary>
    /// <param name="name">The setting's name.</param>
    public static bool AllowsParameter(string name) => AllowsSetting(name) || SqlVocabulary.LimitSettings.Contains(name);

    /// <summary>True when readers may set it in a SETTINGS clause.</summary>
    /// <param name="name">The setting's name.</param>
    public static bool AllowsSetting(string name) =>
        SqlVocabulary.Settings.Contains(name)
        || Array.Exists(SqlVocabulary.SettingFamilies, family => name.StartsWith(family, StringComparison.OrdinalIgnoreCase));

    private static void CheckOpening(byte[] text, List<SqlToken> tokens)
    {
        int first = tokens.FindIndex(t => !IsSymbol(text, t, '('));
        string word = first < 0 ? "" : SqlTokenizer.Text(text, tokens[first]);
        if (!SqlVocabulary.Openers.Contains(word))
        {
            throw new SqlRefusedException(
                $"the statement begins with '{Shorten(word)}'; allowed: {string.Join(", ", SqlVocabulary.Openers.Order(StringComparer.Ordinal))}");
        }

        if (word.Equals("EXPLAIN", StringComparison.OrdinalIgnoreCase)
            && tokens.Find(t => t.Kind == SqlTokenKind.Word && SqlVocabulary.NotExplained.Contains(SqlTokenizer.Text(text, t))) is { Length: > 0 } other)
        {
            throw new SqlRefusedException($"EXPLAIN of {SqlTokenizer.Text(text, other).ToUpperInvariant()} is not allowed; allowed: of a SELECT");
        }

        if (word.Equals("SHOW", StringComparison.OrdinalIgnoreCase))
        {
            string what = first + 1 < tokens.Count ? SqlTokenizer.Text(text, tokens[first + 1]) : "";
            if (!SqlVocabulary.Showable.Contains(what))
            {
                throw new SqlRefusedException($"SHOW {Shorten(what)} is not allowed; allowed: SHOW TABLES, DATABASES, COLUMNS, CREATE, INDEX, FUNCTIONS");
            }
        }
    }

    private static void CheckToken(byte[] text, List<SqlToken> tokens, int i)
    {
        SqlToken token = tokens[i];
        bool named = token.Kind is SqlTokenKind.Word or SqlTokenKind.QuotedIdentifier or SqlTokenKind.Number;
        if (IsSymbol(text, token, ';'))
        {
            throw new SqlRefusedException("there is more than one statement; allowed: one");
        }

        if (!named)
        {
            return;
        }

        string name = Name(text, token);
        if (SqlVocabulary.RefusedFunctions.Contains(name))
        {
            throw new SqlRefusedException($"the name {Shorten(name)} is not allowed: it is a function that readers may not call");
        }

        if (token.Kind != SqlTokenKind.QuotedIdentifier)
        {
            // "1INTO" could be a number and a word to some parser: both readings are looked at.
            string word = name.TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '_');
            if (SqlVocabulary.RefusedWords.Contains(name) || SqlVocabulary.RefusedWords.Contains(word))
            {
                throw new SqlRefusedException($"{name.ToUpperInvariant()} is not allowed here (put a column of that name in backquotes)");
            }

            CheckSettings(text, tokens, i, name);
            CheckParameterType(text, tokens, i, name);
            CheckApply(text, tokens, i, name);
        }

        CheckDatabase(text, tokens, i, name);
        if (Follows(text, tokens, i + 1, '('))
        {
            CheckCall(text, tokens, i, name);
        }
    }

    private static void CheckCall(byte[] text, List<SqlToken> tokens, int i, string name)
    {
        bool bare = tokens[i].Kind == SqlTokenKind.Word;
        if (bare && (SqlVocabulary.KeywordsBeforeBracket.Contains(name) || SqlVocabulary.Types.Contains(name)))
        {
            return;
        }

        if (SqlVocabulary.ParameterizedViews.Contains(name) && !(i > 0 && IsSymbol(text, tokens[i - 1], '.') && !IsOurs(text, tokens, i - 2)))
        {
            return;
        }

        if (tokens[i].Kind == SqlTokenKind.Number || (i > 0 && IsSymbol(text, tokens[i - 1], '.')) || !IsFunction(name))
        {
            throw new SqlRefusedException($"function {Shorten(name)} is not allowed for readers, or is unknown");
        }
    }

    private static bool IsOurs(byte[] text, List<SqlToken> tokens, int i) => i >= 0 && Name(text, tokens[i]) == "sketch";

    private static bool IsFunction(string name)
    {
        while (true)
        {
            if (SqlVocabulary.Functions.Contains(name))
            {
                return true;
            }

            string? combinator = Array.Find(
                SqlVocabulary.Combinators, c => name.Length > c.Length && name.EndsWith(c, StringComparison.Ordinal));
            if (combinator is null)
            {
                return false;
            }

            name = name[..^combinator.Length];
        }
    }

    /// <summary>APPLY(name) and APPLY name call a function without brackets of its own; x -> ... is looked at like any expression.</summary>
    private static void CheckApply(byte[] text, List<SqlToken> tokens, int i, string name)
    {
        if (!name.Equals("APPLY", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        int at = Follows(text, tokens, i + 1, '(') ? i + 2 : i + 1;
        bool named = at < tokens.Count && tokens[at].Kind is SqlTokenKind.Word or SqlTokenKind.QuotedIdentifier;
        if (named && !Follows(text, tokens, at + 1, '-') && !IsFunction(Name(text, tokens[at])))
        {
            throw new SqlRefusedException($"function {Shorten(Name(text, tokens[at]))} is not allowed for readers, or is unknown");
        }
    }

    private static void CheckDatabase(byte[] text, List<SqlToken> tokens, int i, string name)
    {
        bool qualifies = Follows(text, tokens, i + 1, '.') && !(i > 0 && IsSymbol(text, tokens[i - 1], '.'));
        if (!qualifies || !SqlVocabulary.RefusedDatabases.Contains(name))
        {
            return;
        }

        string table = i + 2 < tokens.Count ? Name(text, tokens[i + 2]) : "";
        if (!name.Equals("system", StringComparison.OrdinalIgnoreCase) || !SqlVocabulary.SystemTables.Contains(table))
        {
            throw new SqlRefusedException($"{Shorten(name)}.{Shorten(table)} is not allowed for readers; allowed: the tables of database sketch");
        }
    }

    private static void CheckSettings(byte[] text, List<SqlToken> tokens, int i, string name)
    {
        if (!name.Equals("SETTINGS", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        // SETTINGS a = 1, b = 'x': a name after the word itself, and after each comma that a name and an equals sign follow.
        for (int at = i + 1; at < tokens.Count; at++)
        {
            bool setting = tokens[at].Kind is SqlTokenKind.Word or SqlTokenKind.QuotedIdentifier
                && (at == i + 1 || (IsSymbol(text, tokens[at - 1], ',') && Follows(text, tokens, at + 1, '=')));
            if (setting && !AllowsSetting(Name(text, tokens[at])))
            {
                throw new SqlRefusedException($"setting {Shorten(Name(text, tokens[at]))} cannot be changed by readers");
            }

            if (at == i + 1 && IsSymbol(text, tokens[at], '{'))
            {
                throw new SqlRefusedException("the name of a setting cannot be a parameter");
            }
        }
    }

    private static void CheckParameterType(byte[] text, List<SqlToken> tokens, int i, string name)
    {
        if (name.Equals("Identifier", StringComparison.OrdinalIgnoreCase) && i > 0 && IsSymbol(text, tokens[i - 1], ':'))
        {
            throw new SqlRefusedException("a parameter of type Identifier is not allowed for readers");
        }
    }

    private static string Name(byte[] text, SqlToken token)
    {
        string name = SqlTokenizer.Text(text, token);
        if (token.Kind != SqlTokenKind.QuotedIdentifier)
        {
            return name;
        }

        string inner = name[1..^1];
        return inner.AsSpan().IndexOfAny('\\', name[0]) < 0
            ? inner
            : throw new SqlRefusedException($"the quoted name {Shorten(name)} has an escape in it; allowed: names without");
    }

    private static bool Follows(byte[] text, List<SqlToken> tokens, int i, char symbol) => i < tokens.Count && IsSymbol(text, tokens[i], symbol);

    private static bool IsSymbol(byte[] text, SqlToken token, char symbol) => token.Kind == SqlTokenKind.Symbol && text[token.Start] == symbol;

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "...");

    private static string Rebuild(byte[] text, List<SqlToken> tokens)
    {
        StringBuilder sql = new(text.Length);
        int end = 0;
        foreach (SqlToken token in tokens)
        {
            // One blank for whatever stood between two tokens; none where nothing did, so that '>=' and 1.5 stay whole.
            sql.Append(sql.Length > 0 && token.Start > end ? " " : "").Append(SqlTokenizer.Text(text, token));
            end = token.End;
        }

        return sql.ToString();
    }
}
