namespace Sketch.Storage.Embedded.Http;

/// <summary>ClickHouse's error codes as HTTP status codes, as its own server maps them.</summary>
internal static class HttpErrors
{
    public const int ReadOnly = 164;
    public const int AuthenticationFailed = 516;
    public const int TooManyQueries = 202;
    public const int SessionLocked = 373;
    public const int SessionNotFound = 372;
    public const int AccessDenied = 497;
    public const int NotDecompressed = 354;

    public static int Status(int code) => code switch
    {
        AuthenticationFailed or 192 or 193 or 194 => 401,
        AccessDenied or ReadOnly or 452 => 403,
        46 or 47 or 50 or 56 or 60 or 63 or 73 or 78 or 81 or 115 or SessionNotFound => 404,
        6 or 26 or 27 or 36 or 38 or 41 or 42 or 43 or 44 or 48 or 53 or 62 or 69 or 70 or 72 or 117 or 130 or 131 or 386 or 456 or 457 => 400,
        159 => 408,
        307 or 396 or 158 => 400,
        TooManyQueries or 209 => 503,
        _ => 500,
    };
}
