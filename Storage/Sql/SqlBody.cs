using System.IO.Compression;
using ZstdSharp;

namespace Sketch.Storage.Sql;

/// <summary>Bodies as clients of ClickHouse's HTTP interface compress them.</summary>
public static class SqlBody
{
    /// <summary>The encodings that are read, for messages.</summary>
    public const string Encodings = "gzip, deflate, br, zstd";

    /// <summary>The plain body; null when the encoding is not read.</summary>
    /// <param name="body">As it came.</param>
    /// <param name="encoding">The header Content-Encoding.</param>
    /// <param name="framed">True when what the encoding gives is in ClickHouse's own frames (decompress=1).</param>
    public static Stream? Decompress(Stream body, string encoding, bool framed) =>
        Decode(body, encoding) is { } decoded ? (framed ? new FramedBody(decoded) : decoded) : null;

    /// <summary>True for what reading a body throws that is not compressed as it says.</summary>
    public static bool IsBad(Exception failure) => failure is BadBodyException or InvalidDataException or ZstdException or EndOfStreamException;

    private static Stream? Decode(Stream body, string encoding) => encoding switch
    {
        "" or "identity" => body,
        "gzip" => new GZipStream(body, CompressionMode.Decompress),
        "deflate" => new ZLibStream(body, CompressionMode.Decompress),
        "br" => new BrotliStream(body, CompressionMode.Decompress),
        "zstd" => new DecompressionStream(body),
        _ => null,
    };
}
