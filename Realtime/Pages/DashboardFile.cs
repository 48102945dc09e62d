using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Sketch.Realtime.Pages;

/// <summary>One file of the page, held in memory with its compressed forms: it is small, and nothing on disk is named by a request.</summary>
internal sealed class DashboardFile
{
    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".woff2"] = "font/woff2",
        [".txt"] = "text/plain; charset=utf-8",
        [".webmanifest"] = "application/manifest+json",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private readonly byte[] _plain;
    private readonly Lazy<byte[]> _brotli;
    private readonly Lazy<byte[]> _gzip;
    private readonly string _contentType;
    private readonly string _cacheControl;
    private readonly string _etag;
    private readonly bool _compressible;

    /// <param name="path">Its path under the root, with slashes.</param>
    /// <param name="content">Its bytes.</param>
    public DashboardFile(string path, byte[] content)
    {
        string extension = Path.GetExtension(path);
        _plain = content;
        _contentType = Types.GetValueOrDefault(extension, "application/octet-stream");
        _compressible = extension is ".html" or ".js" or ".css" or ".svg" or ".txt" or ".webmanifest";
        _brotli = new(() => Compress(output => new BrotliStream(output, CompressionLevel.SmallestSize, leaveOpen: true)));
        _gzip = new(() => Compress(output => new GZipStream(output, CompressionLevel.SmallestSize, leaveOpen: true)));
        _etag = $"\"{Convert.ToHexString(SHA256.HashData(content).AsSpan(0, 12))}\"";

        // The build puts a hash of the content into the name of everything under assets; all else is asked for again each time.
        _cacheControl = path.StartsWith("assets/", StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache";
    }

    public async Task SendAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        SecurityHeaders.Add(headers);
        headers.CacheControl = _cacheControl;
        headers.ETag = _etag;
        headers.Vary = HeaderNames.AcceptEncoding;
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(_etag, StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        (byte[] body, string? encoding) = Choose(context.Request.Headers.AcceptEncoding.ToString());
        context.Response.ContentType = _contentType;
        context.Response.ContentLength = body.Length;
        if (encoding is not null)
            headers.ContentEncoding = encoding;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private (byte[] Body, string? Encoding) Choose(string accepted)
    {
        if (!_compressible)
            return (_plain, null);
        if (accepted.Contains("br", StringComparison.Ordinal))
            return (_brotli.Value, "br");
        return accepted.Contains("gzip", StringComparison.Ordinal) ? (_gzip.Value, "gzip") : (_plain, null);
    }

    private byte[] Compress(Func<Stream, Stream> open)
    {
        using var output = new MemoryStream();
        using (var stream = open(output))
            stream.Write(_plain);
        return output.ToArray();
    }
}
