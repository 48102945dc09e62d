namespace Sketch.Storage.Store;

/// <summary>While this is held no window is stored: totals, hours and deltas are those of one position. Others wait, so hold it for seconds at most.</summary>
public sealed class StorePause : IDisposable
{
    private readonly SemaphoreSlim _writing;
    private int _released;

    internal StorePause(SemaphoreSlim writing, long position, string unfinished)
    {
        _writing = writing;
        Position = position;
        Unfinished = unfinished;
    }

    /// <summary>The last position stored.</summary>
    public long Position { get; }

    /// <summary>The condition on deltas that the totals have got already, though their window is not stored whole.</summary>
    internal string Unfinished { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0)
        {
            _writing.Release();
        }
    }
}
