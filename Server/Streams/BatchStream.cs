using System.Buffers;
using System.Net.WebSockets;
using System.Threading.Channels;
using Sketch.Engine.Increments;
using Sketch.Server.Hosting;
using Sketch.Server.Rest;

namespace Sketch.Server.Streams;

/// <summary>
/// One connection that sends batch after batch and reads their answers when they come: what a request costs is paid once. At most <see cref="MaxUnanswered"/> batches
/// are on their way; a sender that goes on sends into its own socket's buffers, and nobody else waits for it.
/// </summary>
internal sealed class BatchStream(WebSocket socket, string @namespace, EngineGate gate)
{
    /// <summary>The subprotocol: messages are batches, and runs of <see cref="BatchAnswer"/>; docs/formats/batch.md has both.</summary>
    public const string Protocol = "sketch.batches.v1";

    /// <summary>The most batches without an answer.</summary>
    public const int MaxUnanswered = 32;

    private const int FirstBufferBytes = 64 << 10;

    private readonly Channel<Unanswered> _unanswered = Channel.CreateBounded<Unanswered>(
        new BoundedChannelOptions(MaxUnanswered) { SingleReader = true, SingleWriter = true });
    private readonly ArrayBufferWriter<byte> _answers = new(MaxUnanswered * BatchAnswer.HeaderBytes);
    private readonly NumberedNames _names = new();
    private bool _isGone;

    /// <summary>Counts until the sender closes the connection, or breaks the protocol.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Task answering = AnswerAsync(cancellationToken);
        (WebSocketCloseStatus Status, string Why)? end = null;
        try
        {
            end = await ReceiveAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or IOException)
        {
            // Whoever misses an answer sends the batch again, with the same producer and sequence.
        }
        finally
        {
            _unanswered.Writer.Complete();
            await answering.ConfigureAwait(false);
        }

        if (end is { } close && !_isGone)
            await socket.CloseAsync(close.Status, close.Why, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<(WebSocketCloseStatus Status, string Why)> ReceiveAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            Sender last = default;
            int length = 0;
            while (true)
            {
                if (length == buffer.Length)
                    Grow(ref buffer);
                ValueWebSocketReceiveResult got = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                length += got.Count;
                switch (got)
                {
                    case { MessageType: WebSocketMessageType.Close }:
                        return (WebSocketCloseStatus.NormalClosure, "");
                    case { MessageType: WebSocketMessageType.Text }:
                        return (WebSocketCloseStatus.InvalidMessageType, "a message is text; allowed: binary messages, a batch each");
                    case var _ when length > RequestBody.MaxBytes:
                        return (WebSocketCloseStatus.MessageTooBig, $"a message has more than {RequestBody.MaxBytes} bytes; send several batches");
                    case { EndOfMessage: true }:
                        Unanswered next = Take(buffer.AsSpan(0, length), ref last);
                        await _unanswered.Writer.WriteAsync(next, CancellationToken.None).ConfigureAwait(false);
                        length = 0;
                        break;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Unanswered Take(ReadOnlySpan<byte> bytes, ref Sender last)
    {
        IncrementBatch? batch = null;
        try
        {
            batch = gate.Engine.RentBatch(@namespace) ?? throw new ProblemException(Problem.UnknownNamespace(@namespace));
            Sender sender = last = BinaryBatch.Read(bytes, batch, _names, last.Producer);
            return new Unanswered(batch, sender, gate.Engine.CommitAsync(batch, sender.Producer, sender.Sequence, CancellationToken.None), null);
        }
        catch (ProblemException wrong)
        {
            batch?.Dispose();
            return new Unanswered(null, default, default, wrong.Problem);
        }
    }

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        ChannelReader<Unanswered> reader = _unanswered.Reader;
        while (await reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (reader.TryRead(out Unanswered next))
            {
                if (next.Result.IsCompleted)
                {
                    BatchAnswer.Write(_answers, Answer(next, next.Result.Result));
                    continue;
                }

                await SendAsync(cancellationToken).ConfigureAwait(false);
                IncrementResult result = await next.Result.ConfigureAwait(false);
                BatchAnswer.Write(_answers, Answer(next, result));

                // Those that were synced with it are answered right behind it: let them, and all leave in one message.
                await Task.Yield();
            }

            await SendAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static BatchAnswer Answer(in Unanswered next, in IncrementResult result)
    {
        next.Batch?.Dispose();
        Problem? problem = next.Problem ?? (result.Status == IncrementStatus.Accepted ? null : IncrementRoutes.Refusal(result, next.Sender));
        return new BatchAnswer(result.Accepted, result.Duplicate, result.Position, problem);
    }

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        if (_answers.WrittenCount == 0)
            return;
        try
        {
            if (!_isGone)
                await socket.SendAsync(_answers.WrittenMemory, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            _isGone = true;
        }

        _answers.ResetWrittenCount();
    }

    private static void Grow(ref byte[] buffer)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 4, RequestBody.MaxBytes + 1));
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    /// <summary>A batch on its way, or one that was refused where it came in.</summary>
    private readonly record struct Unanswered(IncrementBatch? Batch, Sender Sender, ValueTask<IncrementResult> Result, Problem? Problem);
}
