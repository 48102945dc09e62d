namespace Sketch.Storage.Sql;

/// <summary>Errors of ours in the words of ClickHouse, whose clients find code and name in them.</summary>
public static class ErrorText
{
    /// <summary>The text of an error.</summary>
    /// <param name="code">ClickHouse's code.</param>
    /// <param name="message">What is wrong.</param>
    public static string Of(int code, string message) => $"Code: {code}. DB::Exception: {message.TrimEnd('.')}. ({Name(code)})";

    private static string Name(int code) => code switch
    {
        BadBodyException.Incomplete => "CANNOT_READ_ALL_DATA",
        36 => "BAD_ARGUMENTS",
        BadBodyException.TooLarge => "TOO_LARGE_SIZE_COMPRESSED",
        BadBodyException.Checksum => "CHECKSUM_DOESNT_MATCH",
        48 => "NOT_IMPLEMENTED",
        62 => "SYNTAX_ERROR",
        BadBodyException.UnknownMethod => "UNKNOWN_COMPRESSION_METHOD",
        164 => "READONLY",
        202 => "TOO_MANY_SIMULTANEOUS_QUERIES",
        BadBodyException.Block => "CANNOT_DECOMPRESS",
        354 => "ZLIB_INFLATE_FAILED",
        372 => "SESSION_NOT_FOUND",
        373 => "SESSION_IS_LOCKED",
        497 => "ACCESS_DENIED",
        516 => "AUTHENTICATION_FAILED",
        _ => "UNKNOWN_EXCEPTION",
    };
}
