using System.Buffers;
using System.Text;

namespace Sketch.Storage.Sql;

/// <summary>
/// Cuts ClickHouse SQL into tokens as ClickHouse's own lexer does: comments (--, //, "# ", "#!", nested /* */) separate tokens, strings and quoted
/// identifiers know backslashes and doubled quotes. What it does not know for certain (here-documents, characters outside ASCII,
/// control characters) is <see cref="SqlTokenKind.Invalid"/>, so that nobody relies on a guess.
/// </summary>
internal ref struct SqlTokenizer(ReadOnlySpan<byte> text)
{
    private static readonly SearchValues<byte> WordBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"u8);

    private readonly ReadOnlySpan<byte> _text = text;
    private int _at;

    /// <summary>The next token; <see cref="SqlTokenKind.End"/> for ever after the last one.</summary>
    public SqlToken Next()
    {
        if (!SkipBlanks())
        {
            return new SqlToken(SqlTokenKind.Invalid, _at, 0);
        }

        int start = _at;
        if (start == _text.Length)
        {
            return new SqlToken(SqlTokenKind.End, start, 0);
        }

        byte first = _text[start];
        SqlTokenKind kind = first switch
        {
            (byte)'\'' => Quoted(first) ? SqlTokenKind.String : SqlTokenKind.Invalid,
            (byte)'"' or (byte)'`' => Quoted(first) ? SqlTokenKind.QuotedIdentifier : SqlTokenKind.Invalid,
            >= (byte)'0' and <= (byte)'9' => Number(),
            (byte)'.' when start + 1 < _text.Length && char.IsAsciiDigit((char)_text[start + 1]) => Fraction(),
            _ when WordBytes.Contains(first) => Word(),
            (byte)'$' or (byte)'\\' or (byte)'#' or < (byte)' ' or >= 127 => SqlTokenKind.Invalid,
            _ => Symbol(),
        };
        return new SqlToken(kind, start, _at - start);
    }

    /// <summary>Reads all tokens up to the end, or the first invalid one, which is the last of the list.</summary>
    public static List<SqlToken> All(ReadOnlySpan<byte> text)
    {
        SqlTokenizer tokenizer = new(text);
        List<SqlToken> tokens = [];
        SqlToken token;
        do
        {
            token = tokenizer.Next();
            tokens.Add(token);
        }
        while (token.Kind is not (SqlTokenKind.End or SqlTokenKind.Invalid));
        return tokens;
    }

    /// <summary>The token's characters.</summary>
    public static string Text(ReadOnlySpan<byte> text, SqlToken token) => Encoding.UTF8.GetString(text.Slice(token.Start, token.Length));

    private SqlTokenKind Symbol()
    {
        _at++;
        return SqlTokenKind.Symbol;
    }

    private SqlTokenKind Word()
    {
        Advance();

        return SqlTokenKind.Word;
    }

    private SqlTokenKind Number()
    {
        // 1e5, 0x1F, 1_000 and words that start with a digit look alike; who cares for words looks at Word and Number both.
        Advance();
        return SqlTokenKind.Number;
    }

    private SqlTokenKind Fraction()
    {
        // ".5" ends with its digits: in ".5INTO" ClickHouse sees a number and a word.
        _at++;
        while (_at < _text.Length && char.IsAsciiDigit((char)_text[_at]))
        {
            _at++;
        }

        return SqlTokenKind.Number;
    }

    private void Advance()
    {
        int length = _text[_at..].IndexOfAnyExcept(WordBytes);
        _at = length < 0 ? _text.Length : _at + length;
    }

    private bool Quoted(byte quote)
    {
        for (_at++; _at < _text.Length; _at++)
        {
            if (_text[_at] == (byte)'\\')
            {
                _at++;
            }
            else if (_text[_at] == quote)
            {
                _at++;
                if (_at == _text.Length || _text[_at] != quote)
                {
                    return true;
                }
            }
        }

        _at = _text.Length;
        return false;
    }

    private bool SkipBlanks()
    {
        while (_at < _text.Length)
        {
            byte current = _text[_at];
            byte next = _at + 1 < _text.Length ? _text[_at + 1] : (byte)0;
            if (current is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r'))
            {
                _at++;
            }
            else if ((current == '-' && next == '-') || (current == '/' && next == '/') || (current == '#' && (next is (byte)' ' or (byte)'!')))
            {
                int line = _text[_at..].IndexOf((byte)'\n');
                _at = line < 0 ? _text.Length : _at + line;
            }
            else if (current == '/' && next == '*')
            {
                if (!SkipComment())
                {
                    return false;
                }
            }
            else
            {
                return true;
            }
        }

        return true;
    }

    private bool SkipComment()
    {
        int depth = 0;
        while (_at + 2 <= _text.Length)
        {
            bool opens = _text[_at] == '/' && _text[_at + 1] == '*';
            bool closes = _text[_at] == '*' && _text[_at + 1] == '/';
            _at += opens || closes ? 2 : 1;
            depth += opens ? 1 : closes ? -1 : 0;
            if (closes && depth == 0)
            {
                return true;
            }
        }

        return false;
    }
}
