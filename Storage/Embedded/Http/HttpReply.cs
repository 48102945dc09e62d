using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Sketch.Storage.Embedded.Http;

/// <summary>
/// The answer to one request: headers first with the first bytes, errors as ClickHouse tells them, also in mid-stream. A client that waits for the end of its
/// statement gets status and summary as they are then, if the answer is small enough to be held that long.
/// </summary>
internal sealed class HttpReply(HttpCall call, EmbeddedEngine engine, TimeProvider time) : IAsyncDisposable
{
    // As many readers as may run at once hold that much.
    private const int MaxHeldBytes = 16 << 20;

    private readonly HttpResponse _response = call.Context.Response;
    private readonly long _began = time.GetTimestamp();
    private MemoryStream? _held = call.WaitsForEnd ? new MemoryStream() : null;
    private Stream? _stream;
    private string _tag = "";

    /// <summary>Sends a chunk of the result.</summary>
    /// <param name="bytes">The chunk.</param>
    /// <param name="format">The result's format.</param>
    /// <param name="figures">What the statement did so far.</param>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, string format, QueryFigures figures)
    {
        if (_held is not null && _held.Length + bytes.Length <= MaxHeldBytes)
        {
            _held.Write(bytes.Span);
            return;
        }

        await StartAsync(format, figures);
        await _stream!.WriteAsync(bytes, call.Aborted);
        await _stream.FlushAsync(call.Aborted);
    }

    /// <summary>Ends a good answer.</summary>
    public async Task CompleteAsync(string format, QueryFigures figures)
    {
        await StartAsync(format, figures);
        await _stream!.DisposeAsync();
        await _response.CompleteAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null)
        {
            await _stream.DisposeAsync();
        }
    }

    /// <summary>Ends with an error: as the answer if nothing was sent yet, else in the stream, which is then cut off.</summary>
    public async Task FailAsync(ChdbException error)
    {
        if (_stream is null)
        {
            int status = HttpErrors.Status(error.Code);
            _response.StatusCode = status;
            Headers("TabSeparated");
            _response.ContentType = "text/plain; charset=UTF-8";
            _response.Headers["X-ClickHouse-Exception-Code"] = error.Code.ToString(CultureInfo.InvariantCulture);
            if (status == 401)
            {
                _response.Headers.WWWAuthenticate = "Basic realm=\"ClickHouse server HTTP API\"";
            }

            byte[] text = Encoding.UTF8.GetBytes(error.Message + "\n");
            await _response.Body.WriteAsync(call.FrameResponse ? CompressedFrames.Frame(text) : text, call.Aborted);
            await _response.CompleteAsync();
            return;
        }

        string message = error.Message + "\n";
        await _stream.WriteAsync(
            Encoding.UTF8.GetBytes(
                $"\r\n__exception__\r\n{_tag}\r\n{message}{Encoding.UTF8.GetByteCount(message)} {_tag}\r\n__exception__\r\n"), call.Aborted);
        await _stream.FlushAsync(call.Aborted);
        // Without the last chunk of the transfer encoding, a client that knows nothing of the tag still sees that the answer is broken.
        // An abort drops what the socket has not sent yet: the pause lets the message out.
        await Task.Delay(TimeSpan.FromMilliseconds(250));
        call.Context.Abort();
    }

    private async ValueTask StartAsync(string format, QueryFigures figures)
    {
        if (_stream is not null)
        {
            return;
        }

        _stream = Begin(format, figures);
        if (_held is { } held)
        {
            _held = null;
            await _stream.WriteAsync(held.GetBuffer().AsMemory(0, (int)held.Length), call.Aborted);
        }
    }

    private Stream Begin(string format, QueryFigures figures)
    {

        Headers(format);
        _response.ContentType = HttpFormats.ContentType(format);
        _tag = RandomNumberGenerator.GetHexString(16, lowercase: true);
        _response.Headers["X-ClickHouse-Exception-Tag"] = _tag;
        _response.Headers["X-ClickHouse-Summary"] = Summary(figures);
        if (call.FrameResponse)
        {
            return new CompressedFrames(_response.Body);
        }

        if (!call.CompressResponse)
        {
            return _response.Body;
        }

        _response.Headers.ContentEncoding = "gzip";
        return new GZipStream(_response.Body, CompressionLevel.Fastest, leaveOpen: true);
    }

    private string Summary(QueryFigures figures) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"read_rows":"{{figures.RowsRead}}","read_bytes":"{{figures.BytesRead}}","written_rows":"{{figures.RowsWritten}}","written_bytes":"{{figures.BytesWritten}}","total_rows_to_read":"{{figures.RowsRead}}","result_rows":"{{figures.ResultRows}}","result_bytes":"0","elapsed_ns":"{{(long)time.GetElapsedTime(_began).TotalNanoseconds}}"}""");

    private void Headers(string format)
    {
        IHeaderDictionary headers = _response.Headers;
        headers["X-ClickHouse-Query-Id"] = call.QueryId;
        headers["X-ClickHouse-Format"] = format;
        headers["X-ClickHouse-Timezone"] = engine.TimeZone;
        headers["X-ClickHouse-Server-Display-Name"] = "sketch";
        headers["Access-Control-Expose-Headers"] =
            "X-ClickHouse-Query-Id,X-ClickHouse-Summary,X-ClickHouse-Server-Display-Name,X-ClickHouse-Format,X-ClickHouse-Timezone,"
            + "X-ClickHouse-Exception-Code,X-ClickHouse-Exception-Tag";
    }
}
