using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Server.Hosting;

/// <summary>
/// A log that keeps more than the engine needs: everything since an anchor, which is a kept snapshot. With both every window since can be computed again, so that
/// what is stored can be verified, and a backup replayed up to now. The anchor moves on with each backup, and when the log has grown too large.
/// </summary>
internal sealed class RetainedLog : IIncrementLog
{
    /// <summary>The anchor's file in the engine's folder.</summary>
    public const string Anchor = "anchor";

    private readonly IIncrementLog _log;
    private readonly string _logFolder;
    private readonly string _engineFolder;
    private readonly long _keepBytes;
    private readonly long _mostBytes;
    private readonly SemaphoreSlim _moving = new(1);
    private long _position;

    /// <param name="log">The log.</param>
    /// <param name="logFolder">Its folder.</param>
    /// <param name="engineFolder">The engine's folder.</param>
    /// <param name="keepBytes">What may stay for verification.</param>
    /// <param name="mostBytes">What may stay for a backup.</param>
    public RetainedLog(IIncrementLog log, string logFolder, string engineFolder, long keepBytes, long mostBytes)
    {
        _log = log;
        _logFolder = logFolder;
        _engineFolder = engineFolder;
        _keepBytes = keepBytes;
        _mostBytes = mostBytes;
        _position = Read(engineFolder);
        if (_position < 0 || _log.Range.First > _position + 1)
            _position = EngineSnapshot.Keep(engineFolder, Anchor);
    }

    /// <summary>The position of the anchor; the log holds everything after it.</summary>
    public long AnchorPosition => Volatile.Read(ref _position);

    /// <summary>True when a backup can be replayed only with what lies after the anchor.</summary>
    public bool HasBackup { get; set; }

    /// <inheritdoc/>
    public LogIdentity Identity => _log.Identity;

    /// <inheritdoc/>
    public LogRange Range => _log.Range;

    /// <inheritdoc/>
    public Task Failed => _log.Failed;

    /// <inheritdoc/>
    public ValueTask<Appended> AppendAsync(LogRecord record, Durability durability, CancellationToken cancellationToken) =>
        _log.AppendAsync(record, durability, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<LogSlice> ReadAsync(long from, bool follow, CancellationToken cancellationToken) => _log.ReadAsync(from, follow, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask TruncateBeforeAsync(long position, CancellationToken cancellationToken)
    {
        await _moving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Bytes() > (HasBackup ? _mostBytes : _keepBytes))
            {
                MoveAnchor();
                HasBackup = false;
            }

            await _log.TruncateBeforeAsync(Math.Min(position, AnchorPosition + 1), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _moving.Release();
        }
    }

    /// <summary>Makes the engine's newest snapshot the anchor, and hands its file to the caller before it can move again.</summary>
    /// <param name="copy">Given the path; null when there is no snapshot yet.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<long> AnchorForBackupAsync(Action<string?> copy, CancellationToken cancellationToken)
    {
        await _moving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            MoveAnchor();
            string path = Path.Combine(_engineFolder, Anchor);
            copy(File.Exists(path) ? path : null);
            return AnchorPosition;
        }
        finally
        {
            _moving.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync().ConfigureAwait(false);
        _moving.Dispose();
    }

    // An anchor that can't be read is none: another takes its place.
    private static long Read(string engineFolder)
    {
        try
        {
            return EngineSnapshot.PositionOf(engineFolder, Anchor);
        }
        catch (InvalidDataException)
        {
            return -1;
        }
    }

    private void MoveAnchor() => Volatile.Write(ref _position, EngineSnapshot.Keep(_engineFolder, Anchor));

    private long Bytes() => new DirectoryInfo(_logFolder).EnumerateFiles("*.seg").Sum(f => f.Length);
}
