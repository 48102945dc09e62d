using Sketch.Storage.Sql;

namespace Sketch.Storage.Embedded;

/// <summary>The engine refused or failed: "Code: N. DB::Exception: ...".</summary>
internal sealed class ChdbException : Exception
{
    /// <summary>ClickHouse's code for "something else went wrong".</summary>
    private const int Unknown = 1002;

    public ChdbException(string text) : this(ParseCode(text), text)
    {
    }

    public ChdbException(int code, string text) : base(text.StartsWith("Code:", StringComparison.Ordinal) ? text : ErrorText.Of(code, text))
    {
        Code = code;
    }

    /// <summary>ClickHouse's error code.</summary>
    public int Code { get; }

    private static int ParseCode(string text)
    {
        const string Prefix = "Code: ";
        int start = text.IndexOf(Prefix, StringComparison.Ordinal);
        if (start < 0)
        {
            return Unknown;
        }

        ReadOnlySpan<char> digits = text.AsSpan(start + Prefix.Length);
        int end = digits.IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(end < 0 ? digits : digits[..end], out int code) ? code : Unknown;
    }
}
