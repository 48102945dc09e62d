using System.Text;
using Sketch.Storage.Sql;

namespace Sketch.Server.Sql;

/// <summary>The part of a statement that stands in a request's body, which is not longer than a statement may be.</summary>
internal static class StatementBody
{
    // One byte more than a statement may have: the gate then says so.
    private const int MostBytes = SqlGate.MaxBytes + 1;

    /// <summary>The body as it came, as far as it is read.</summary>
    public static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[MostBytes];
        int length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return bytes[..length];
    }

    /// <summary>The text of a body, decompressed as the request says; null when its encoding is not read.</summary>
    /// <exception cref="Exception">It is not what the request says: <see cref="SqlBody.IsBad"/>.</exception>
    public static async Task<string?> DecodeAsync(byte[] bytes, HttpRequest request)
    {
        using MemoryStream compressed = new(bytes);
        await using Stream? plain = SqlBody.Decompress(compressed, request.Headers.ContentEncoding.ToString(), request.Query["decompress"] == "1");
        return plain is null ? null : Encoding.UTF8.GetString(await ReadAsync(plain, request.HttpContext.RequestAborted).ConfigureAwait(false));
    }
}
