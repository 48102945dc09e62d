using Sketch.Engine.Log;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// Where exact checkpoints go and exact answers come from (ClickHouse, in the Storage folder). Every store call may be repeated after a failure:
/// the second time has no effect.
/// </summary>
public interface ICheckpointStore : IAsyncDisposable
{
    /// <summary>The last position stored for the log; zero when there is none.</summary>
    /// <exception cref="CheckpointStoreException">The store can't be reached, or holds checkpoints of another incarnation.</exception>
    ValueTask<StoredPosition> LastAsync(LogIdentity log, CancellationToken cancellationToken);

    /// <summary>Stores one window, once: a retry with the same log and positions changes nothing.</summary>
    /// <exception cref="CheckpointStoreException">The store can't be reached or refused; the caller tries again.</exception>
    ValueTask StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken);

    /// <summary>How many counters there may be, so that room is made for them before they are read: a few more than there are, at a glance.</summary>
    ValueTask<long> CountCountersAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The name of every counter; and of deleted ones whose total is not zero yet, because the window that deletes them is not stored whole. Each batch is valid until the next is asked for.
    /// </summary>
    IAsyncEnumerable<StoredNames> ReadAllNamesAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The exact total up to the last stored position of every counter that was ever incremented; deleted ones are among them, nearly all at zero. Each batch is valid until the next is
    /// asked for.
    /// </summary>
    /// <param name="whole">Whether each counter must come once. It may come in parts otherwise, which add up: that costs the store much less.</param>
    /// <param name="cancellationToken">Gives up.</param>
    IAsyncEnumerable<StoredSums> ReadAllTotalsAsync(bool whole, CancellationToken cancellationToken);

    /// <summary>
    /// Exact totals of counters as of a position; those that the store does not know are left out. Right whatever is being stored meanwhile: what the store has of windows
    /// after the position is taken off again.
    /// </summary>
    /// <param name="log">Which log.</param>
    /// <param name="position">The end of a stored window, the newest or the one before.</param>
    /// <param name="namespace">Whose counters.</param>
    /// <param name="ids">Their ids, each once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CheckpointStoreException">The store can't be reached; reads and what they are for wait.</exception>
    ValueTask<IReadOnlyDictionary<ulong, long>> ReadTotalsAsync(
        LogIdentity log, long position, string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken);

    /// <summary>The counters of a namespace with the largest exact totals, largest first; while no window is being stored.</summary>
    ValueTask<IReadOnlyList<StoredTotal>> ReadHeaviestAsync(string @namespace, int limit, CancellationToken cancellationToken);

    /// <summary>The names of counters of a namespace; those that the store does not know are left out.</summary>
    ValueTask<IReadOnlyDictionary<ulong, string>> ReadNamesAsync(string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken);

    /// <summary>
    /// Counters, ids ascending, that exist and did not change after the last stored window that ended before the time asked for: no increment, element, definition or
    /// reset. A window that is being stored meanwhile makes counters busy, never idle.
    /// </summary>
    ValueTask<IReadOnlyList<ulong>> ReadIdleAsync(IdleQuestion idle, CancellationToken cancellationToken);

    /// <summary>Counters of the kind distinct: of each, the latest generation. Each batch is valid until the next is asked for.</summary>
    IAsyncEnumerable<IReadOnlyList<StoredDistinct>> ReadDistinctsAsync(CancellationToken cancellationToken);

    /// <summary>The elements that such counters keep; one may come more than once. Each batch is valid until the next is asked for.</summary>
    IAsyncEnumerable<IReadOnlyList<StoredMember>> ReadMembersAsync(CancellationToken cancellationToken);

    /// <summary>Exact totals of the items of counters of the kind top, as of a position: of each counter's latest generation the largest first.</summary>
    /// <param name="log">Which log.</param>
    /// <param name="position">The last stored position of the log; of a window after it that was not stored whole nothing counts.</param>
    /// <param name="limit">At most this many of each counter.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>All of one counter's items after each other. Each batch is valid until the next is asked for.</returns>
    IAsyncEnumerable<IReadOnlyList<StoredItem>> ReadItemsAsync(LogIdentity log, long position, int limit, CancellationToken cancellationToken);

    /// <summary>Counters of a namespace by name order, ordinal over UTF-8 bytes.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="prefix">Names that start so; empty for all.</param>
    /// <param name="after">Only names after this one; null from the start.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IReadOnlyList<string>> FindNamesAsync(string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>Exact increments of a counter per step of whole hours, oldest first, only hours that have any.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="id">The counter's id.</param>
    /// <param name="from">Start of the first hour.</param>
    /// <param name="to">End, exclusive.</param>
    /// <param name="stepHours">Hours a point covers, 1 or more; points start at multiples of it since 1970.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IReadOnlyList<HistoryPoint>> ReadHistoryAsync(
        string @namespace, ulong id, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken);

    /// <summary>The elements that a counter of the kind distinct saw in each step of whole hours, oldest first, only steps that have any.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="id">The counter's id.</param>
    /// <param name="generation">The position at which it began or was reset last.</param>
    /// <param name="from">Start of the first hour.</param>
    /// <param name="to">End, exclusive.</param>
    /// <param name="stepHours">Hours a point covers, 1 or more; points start at multiples of it since 1970.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IReadOnlyList<SeenPoint>> ReadSeenAsync(
        string @namespace, ulong id, long generation, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken);
}

/// <summary>How far a log is stored.</summary>
/// <param name="Position">The last position covered; zero when nothing is.</param>
/// <param name="TimeMs">The log time of that position, milliseconds since 1970.</param>
/// <param name="UnfinishedRows">How many rows the store has of windows after that position, none of which is stored whole.</param>
public readonly record struct StoredPosition(long Position, long TimeMs, long UnfinishedRows = 0);

/// <summary>Whose counters are idle.</summary>
/// <param name="Log">The log that counts them.</param>
/// <param name="Namespace">Their namespace.</param>
/// <param name="BeforeMs">They are idle since before this log time, milliseconds since 1970.</param>
/// <param name="First">The lowest id.</param>
/// <param name="Last">The highest id.</param>
/// <param name="Limit">At most this many, the lowest ids.</param>
public readonly record struct IdleQuestion(LogIdentity Log, string Namespace, long BeforeMs, ulong First, ulong Last, int Limit);

/// <summary>A counter's exact total.</summary>
/// <param name="Id">The counter's id.</param>
/// <param name="Total">Its total.</param>
public readonly record struct StoredTotal(ulong Id, long Total);

/// <summary>Sums by counters of one namespace, as the store knows them, in columns.</summary>
/// <param name="Namespace">Their namespace.</param>
/// <param name="Ids">The counters.</param>
/// <param name="Sums">A total, or a part of one, for each of them.</param>
public readonly record struct StoredSums(string Namespace, ReadOnlyMemory<ulong> Ids, ReadOnlyMemory<long> Sums);

/// <summary>A counter with its exact total, as the store knows both at one position.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name in UTF-8.</param>
/// <param name="Id">Its id.</param>
/// <param name="Total">Its exact total up to that position.</param>
public readonly record struct StoredCounter(string Namespace, ReadOnlyMemory<byte> Name, ulong Id, long Total);

/// <summary>Exact increments of one counter in one step of time.</summary>
/// <param name="Start">Start of the step.</param>
/// <param name="Value">The sum of the increments in it.</param>
public readonly record struct HistoryPoint(DateTimeOffset Start, long Value);

/// <summary>The store can't be reached, or refuses.</summary>
public sealed class CheckpointStoreException : IOException
{
    /// <summary>Creates the exception.</summary>
    public CheckpointStoreException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
