using System.Globalization;
using Sketch.Engine;
using Sketch.Engine.Checkpoints;
using Sketch.Storage.Store;

namespace Sketch.Server.Verify;

/// <summary>
/// Compares what the log says of counters that take elements with what ClickHouse holds of them. Everything that the log holds must be there. Of a counter that began
/// within the part of the log that was read, and was at rest since its end, nothing else may be.
/// </summary>
internal sealed class ReplayComparison(CountingEngine engine, ClickHouseStore store, ElementReplay replay, long upTo, Action<string, string, string, string> differs)
{
    // When counters were changed last, and which of them keep their members.
    private readonly Dictionary<(ulong Id, long Generation), StoredState> _stored = [];

    /// <summary>Compares; the store is held still.</summary>
    /// <param name="partition">Only this partition's; null for all.</param>
    /// <param name="oldestHour">Hours before this one (seconds since 1970) may be gone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RunAsync(int? partition, long oldestHour, CancellationToken cancellationToken)
    {
        await CompareStatesAsync(partition, cancellationToken).ConfigureAwait(false);
        await CompareHoursAsync(partition, oldestHour, cancellationToken).ConfigureAwait(false);
        await CompareMembersAsync(partition, cancellationToken).ConfigureAwait(false);
        await CompareItemsAsync(partition, cancellationToken).ConfigureAwait(false);
    }

    private async Task CompareStatesAsync(int? partition, CancellationToken cancellationToken)
    {
        await foreach (IReadOnlyList<StoredDistinct> batch in store.ReadDistinctsAsync(partition, cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredDistinct stored in batch)
            {
                _stored[(stored.Id, stored.Generation)] = new StoredState(stored.Position, stored.IsExact);
                if (replay.States.Remove((stored.Id, stored.Generation), out RegisterSet? expected))
                    Compare("registers", Where(stored.Id), expected, stored.Indexes, stored.Ranks, replay.IsWhole(stored.Generation) && stored.Position <= upTo);
            }
        }

        foreach ((ulong id, long generation) in replay.States.Keys.Where(s => IsCurrent(s.Id, s.Generation)))
            differs("registers", Where(id), "a state", "none");
    }

    private async Task CompareHoursAsync(int? partition, long oldestHour, CancellationToken cancellationToken)
    {
        long[] hours = [.. replay.Hours.Keys.Select(k => k.Hour).Distinct().Where(h => h >= oldestHour)];
        await foreach (StoredHour stored in store.ReadHoursAsync(hours, partition, cancellationToken).ConfigureAwait(false))
        {
            bool isWhole = replay.LeftOut == 0 && (stored.Hour > replay.FirstHour || replay.IsWhole(stored.Generation));
            if (replay.Hours.Remove((stored.Id, stored.Generation, stored.Hour), out RegisterSet? expected))
                Compare("seen", Where(stored.Id, stored.Hour), expected, stored.Indexes, stored.Ranks, isWhole && IsAtRest(stored.Id, stored.Generation));
        }

        foreach ((ulong id, long generation, long hour) in replay.Hours.Keys.Where(s => s.Hour >= oldestHour && IsCurrent(s.Id, s.Generation)))
            differs("seen", Where(id, hour), "a state", "none");
    }

    private async Task CompareMembersAsync(int? partition, CancellationToken cancellationToken)
    {
        Dictionary<(ulong Id, long Generation), int> extra = [];
        await foreach (IReadOnlyList<StoredMember> batch in store.ReadMembersAsync(partition, cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredMember stored in batch)
            {
                (ulong, long) counter = (stored.Id, stored.Generation);
                if (!replay.Members.Remove(stored) && replay.IsWhole(stored.Generation) && IsAtRest(stored.Id, stored.Generation))
                    extra[counter] = extra.GetValueOrDefault(counter) + 1;
            }
        }

        foreach (IGrouping<(ulong Id, long Generation), StoredMember> missing in replay.Members.GroupBy(m => (m.Id, m.Generation)).Where(m => Keeps(m.Key)))
            differs("members", Where(missing.Key.Id), "every element", $"{missing.Count()} missing");
        foreach (((ulong Id, long) counter, int count) in extra.Where(e => Keeps(e.Key)))
            differs("members", Where(counter.Id), "no other element", $"{count} more");
    }

    private async Task CompareItemsAsync(int? partition, CancellationToken cancellationToken)
    {
        await foreach (StoredItemSum stored in store.ReadItemSumsAsync(partition, cancellationToken).ConfigureAwait(false))
        {
            bool isInLog = replay.Items.Remove((stored.Id, stored.Generation, stored.Item), out (long Sum, long Position, long Delta) expected);
            if (stored.Position > upTo)
                continue; // it was changed since
            string where = $"'{Rest.Problem.Shorten(stored.Item)}' of {Where(stored.Id)}";
            if (isInLog && (expected.Position, expected.Delta) != (stored.Position, stored.Delta))
                differs("items", where, $"{expected.Delta} at position {expected.Position}", $"{stored.Delta} at position {stored.Position}");
            else if (replay.IsWhole(stored.Generation) && expected.Sum != stored.Sum)
                differs("items", where, $"{expected.Sum}", $"{stored.Sum}");
        }

        foreach (((ulong id, long generation, string item), (long sum, _, _)) in replay.Items.Where(i => IsCurrent(i.Key.Id, i.Key.Generation)))
            differs("items", $"'{Rest.Problem.Shorten(item)}' of {Where(id)}", $"{sum}", "not there");
    }

    private bool IsAtRest(ulong id, long generation) => _stored.TryGetValue((id, generation), out StoredState state) && state.Position <= upTo;

    private bool Keeps((ulong Id, long Generation) counter) =>
        IsCurrent(counter.Id, counter.Generation) && _stored.TryGetValue(counter, out StoredState state) && state.IsExact;

    // Deleted and reset counters leave states behind that nobody reads.
    private bool IsCurrent(ulong id, long generation) => engine.GenerationOf(id) == generation;

    private void Compare(string what, string where, RegisterSet expected, IReadOnlyList<uint> indexes, IReadOnlyList<byte> ranks, bool isFinal)
    {
        (int missing, int extra) = expected.Against(indexes, ranks);
        if (missing > 0)
            differs(what, where, "registers as in the log", $"{missing} lower or missing");
        else if (isFinal && extra > 0)
            differs(what, where, "registers as in the log", $"{extra} higher");
    }

    private static string Where(ulong id) => string.Create(CultureInfo.InvariantCulture, $"counter {id} as the log has it");

    private static string Where(ulong id, long hour) => string.Create(
        CultureInfo.InvariantCulture, $"{Where(id)}, {DateTimeOffset.FromUnixTimeSeconds(hour):yyyy-MM-dd HH:mm'Z'}");

    private readonly record struct StoredState(long Position, bool IsExact);
}
