using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Sketch.Server.Sql;

/// <summary>
/// Headers that leave before the rest of an answer's head is known, which HTTP/1.1 allows and Kestrel does not: a status line and headers go straight to the
/// connection, and when Kestrel writes its head its own status line is left out. As with ClickHouse itself, the status is 200 then, whatever comes.
/// </summary>
internal sealed class EarlyHeaders(PipeWriter inner) : PipeWriter
{
    private readonly ArrayBufferWriter<byte> _head = new();
    private bool _isOpen;

    /// <summary>Gives a connection the feature.</summary>
    public static Task UseAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        IDuplexPipe transport = connection.Transport;
        EarlyHeaders early = new(transport.Output);
        connection.Features.Set(early);
        connection.Transport = new Pipes(transport.Input, early);
        return next(connection);
    }

    /// <summary>Sends a header now. Only while nobody writes an answer on this connection.</summary>
    public async Task SendAsync(string name, string value, CancellationToken cancellationToken)
    {
        string status = _isOpen ? "" : "HTTP/1.1 200 OK\r\n";
        _isOpen = true;
        await inner.WriteAsync(Encoding.ASCII.GetBytes($"{status}{name}: {value}\r\n"), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => _isOpen ? _head.GetMemory(sizeHint) : inner.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => _isOpen ? _head.GetSpan(sizeHint) : inner.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        if (_isOpen)
            _head.Advance(bytes);
        else
            inner.Advance(bytes);
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        ReadOnlySpan<byte> head = _head.WrittenSpan;
        int line = head.IndexOf("\r\n"u8);
        if (_isOpen && line >= 0)
        {
            _isOpen = false;
            inner.Write(head[(line + 2)..]);
            _head.Clear();
        }

        return inner.FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => inner.UnflushedBytes + _head.WrittenCount;

    /// <inheritdoc/>
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private sealed class Pipes(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
