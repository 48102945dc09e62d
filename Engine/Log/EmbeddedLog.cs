using System.Runtime.CompilerServices;

namespace Sketch.Engine.Log;

/// <summary>
/// The log on this machine's disk: segment files, written by one thread at a time with group commit. Once a write or sync failed it only reads, for the
/// disk's state is unknown then and a second sync would report success: the process is to exit, and the next start reads what is really there.
/// </summary>
public sealed class EmbeddedLog : IIncrementLog
{
    private readonly SegmentFiles _files;
    private readonly SegmentChain _chain;
    private readonly AppendQueue _queue;
    private readonly HandOver _handOver = new();
    private readonly BufferPool _buffers;
    private readonly LogWriter _writer;
    private readonly Lock _truncating = new();
    private volatile bool _disposed;

    private EmbeddedLog(EmbeddedLogOptions options, SegmentFiles files, LogRecovery recovery, LogTail tail, BufferPool buffers, TimeProvider time)
    {
        _files = files;
        _buffers = buffers;
        _chain = new SegmentChain(recovery.Segments);
        _queue = new AppendQueue(options.MaxQueuedRecords, options.MaxQueuedBytes, options.MaxBytes, _chain);
        _writer = new LogWriter(files, _chain, tail, _queue, _handOver, buffers, time, options.Workers);
        Identity = recovery.Identity;
        Cut = recovery.Cut;
    }

    /// <inheritdoc/>
    public LogIdentity Identity { get; }

    /// <inheritdoc/>
    public LogRange Range => _chain.Range;

    /// <summary>The bytes of its segments; those of segments that wait to be written over are not in it.</summary>
    public long Bytes => _chain.Bytes;

    /// <inheritdoc/>
    public Task Failed => _writer.Failed;

    /// <summary>What opening cut off the end, if anything: a group that was being written when the power or the process went.</summary>
    public LogCut? Cut { get; }

    /// <summary>Opens the log in a folder, or makes one there.</summary>
    /// <exception cref="LogCorruptException">Durable records are damaged or missing.</exception>
    /// <exception cref="LogFormatException">The log is another's, or of a newer version.</exception>
    /// <exception cref="LogDiskException">The disk refused.</exception>
    public static Task<EmbeddedLog> OpenAsync(EmbeddedLogOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        options.Validate();
        return Task.Run(() =>
        {
            BufferPool buffers = new();
            SegmentFiles files = new(options.Disk, options.Folder, options.SegmentBytes);
            LogRecovery recovery = new(options, files, buffers, time);
            LogTail tail = recovery.Open();
            return new EmbeddedLog(options, files, recovery, tail, buffers, time);
        }, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The payload is longer than <see cref="RecordFrame.MaxPayloadBytes"/>, or the kind is the log's own.</exception>
    public ValueTask<Appended> AppendAsync(LogRecord record, Durability durability, CancellationToken cancellationToken)
    {
        if (record.Payload.Length > RecordFrame.MaxPayloadBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(record), $"The payload has {record.Payload.Length} bytes; allowed 0 to {RecordFrame.MaxPayloadBytes}.");
        }

        if (record.Kind is <= RecordKind.Genesis or > RecordKind.Expiring)
        {
            throw new ArgumentOutOfRangeException(nameof(record), $"The kind is {record.Kind}; allowed are all but Genesis, which the log writes itself.");
        }

        return cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<Appended>(cancellationToken)
            : _queue.Add(record, durability);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// A follower must not wait for an append of its own: the writer may be waiting for the follower. What is read without following is durable,
    /// so that a checkpoint made of it never knows more than the log does after a loss of power; once a sync failed, less than the range is read.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The position lies beyond the end of the log, or before 1.</exception>
    public IAsyncEnumerable<LogSlice> ReadAsync(long from, bool follow, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        LogRange range = Range;
        if (from < 1 || from > range.Next)
        {
            throw new ArgumentOutOfRangeException(nameof(from), $"from is {from}; allowed 1 to {range.Next}, the log's end.");
        }

        if (from < range.First)
        {
            throw new LogTruncatedException($"Position {from} was truncated; the log begins at {range.First}.");
        }

        return follow ? FollowAsync(from, cancellationToken) : ReadUntilAsync(from, range.Next, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask TruncateBeforeAsync(long position, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        lock (_truncating)
        {
            _files.Retire(_chain.CutBefore(position));
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Writes and syncs what is queued, answers it, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        _queue.Close();
        _handOver.StopWaiting();
        await _writer.Stopped;
    }

    private async IAsyncEnumerable<LogSlice> ReadUntilAsync(
        long from, long until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long durable = Math.Min(until, await _writer.WhenSyncedAsync(until, cancellationToken));
        using LogReader reader = new(_files.Disk, _chain, _buffers, from, dropsCache: true);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (reader.Next(durable) is not { } slice)
            {
                yield break;
            }

            yield return slice;

            // A long read gives its thread to others now and then.
            await Task.Yield();
        }
    }

    private async IAsyncEnumerable<LogSlice> FollowAsync(long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _handOver.Claim();
        try
        {
            long position = from;
            using (LogReader reader = new(_files.Disk, _chain, _buffers, from))
            {
                while (!TryAttach(reader))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (reader.Next(long.MaxValue) is { } slice)
                    {
                        position = slice.Next;
                        yield return slice;
                    }
                }
            }

            while (await _handOver.TakeAsync(cancellationToken).ConfigureAwait(false) is { } slice)
            {
                if (slice.First != position)
                {
                    throw new InvalidOperationException($"The log handed over position {slice.First} where {position} follows.");
                }

                position = slice.Next;
                yield return slice;
            }
        }
        finally
        {
            _handOver.Release();
        }
    }

    /// <summary>Attaches the follower to the writer at a moment when it has read all that was published.</summary>
    private bool TryAttach(LogReader reader)
    {
        lock (_chain.Gate)
        {
            if (reader.Position != _chain.Range.Next)
            {
                return false;
            }

            _handOver.Attach();
            return true;
        }
    }
}
