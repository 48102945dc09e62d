using System.Globalization;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Storage.Store;

namespace Sketch.Server.Verify;

/// <summary>
/// Compares counters that take elements: members, registers and counts of the kind distinct, items of the kind top, as memory and as ClickHouse have them at
/// the position of a pause.
/// </summary>
internal sealed class ElementVerification(CountingEngine engine, ClickHouseStore store, TimeProvider time, Action<string, string, string, string> differs)
{
    // More than an exact counter may have.
    private const int MaxItems = 2 * EngineLimits.MaxExactItems;
    private const int Looks = 5;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(5);
    private static readonly StoredDistinct Nothing = new(0, 0, 0, [], [], false, 0, 0, 0, 0, 0, []);

    /// <summary>Compares counters of the kind distinct; how many.</summary>
    public async Task<long> CompareDistinctsAsync(int? partition, CancellationToken cancellationToken)
    {
        Dictionary<(ulong, long), (long, ulong)> members = await store.DigestMembersAsync(partition, cancellationToken).ConfigureAwait(false);
        HashSet<ulong> left = [.. InPartition(engine.CountersOf(CounterKind.Distinct), partition)];
        long compared = 0;
        await foreach (IReadOnlyList<StoredDistinct> batch in store.ReadDistinctsAsync(partition, cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredDistinct stored in batch)
            {
                left.Remove(stored.Id);
                compared += await CompareAsync(stored.Id, stored, members, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
        }

        foreach (ulong id in left)
            compared += await CompareAsync(id, Nothing, members, cancellationToken).ConfigureAwait(false) ? 1 : 0;
        return compared;
    }

    /// <summary>Compares items of counters of the kind top; how many.</summary>
    public async Task<long> CompareItemsAsync(long position, int? partition, CancellationToken cancellationToken)
    {
        HashSet<ulong> left = [.. InPartition(engine.CountersOf(CounterKind.Top), partition)];
        List<StoredItem> one = [];
        long compared = 0;
        await foreach (IReadOnlyList<StoredItem> batch in store.ReadItemsAsync(position, MaxItems, partition, cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredItem item in batch)
            {
                if (one.Count > 0 && one[0].Id != item.Id)
                    Compare();
                one.Add(item);
            }
        }

        if (one.Count > 0)
            Compare();
        foreach (ulong id in left)
            compared += CompareItems(id, []);
        return compared;

        void Compare()
        {
            left.Remove(one[0].Id);
            compared += CompareItems(one[0].Id, one);
            one.Clear();
        }
    }

    private static IEnumerable<ulong> InPartition(IEnumerable<ulong> ids, int? partition) => ids.Where(id => partition is null || CounterId.Partition(id) == partition);

    // A difference that a window which was being closed would explain is looked at again.
    private async Task<bool> CompareAsync(
        ulong id, StoredDistinct stored, Dictionary<(ulong, long), (long, ulong)> members, CancellationToken cancellationToken)
    {
        for (int look = 1; ; look++)
        {
            if (engine.DistinctAtCheckpoint(id) is not { } held)
                return false;
            StoredDistinct known = stored.Generation == held.Generation ? stored : Nothing;
            List<(string What, string Expected, string Found)> found = [.. Differences(held, known, members.GetValueOrDefault((id, held.Generation)))];
            if (found.Count == 0 || look == Looks)
            {
                foreach ((string what, string expected, string actual) in found)
                    differs(what, string.Create(CultureInfo.InvariantCulture, $"counter {id}"), expected, actual);
                return true;
            }

            await Task.Delay(BetweenLooks, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static IEnumerable<(string What, string Expected, string Found)> Differences(DistinctCut held, StoredDistinct stored, (long Count, ulong Digest) members)
    {
        if (held.IsExact && (held.Members.Count != members.Count || ClickHouseStore.DigestOf(held.Members) != members.Digest))
            yield return ("members", $"{held.Members.Count}, digest {ClickHouseStore.DigestOf(held.Members):x16}", $"{members.Count}, digest {members.Digest:x16}");

        Dictionary<uint, byte> registers = new(held.Raised);
        for (int i = 0; i < stored.Indexes.Length; i++)
            registers[stored.Indexes[i]] = Math.Max(stored.Ranks[i], registers.GetValueOrDefault(stored.Indexes[i]));
        int others = registers.Keys.Union(held.Registers.Keys).Count(i => registers.GetValueOrDefault(i) != held.Registers.GetValueOrDefault(i));
        if (others > 0)
            yield return ("registers", $"{held.Registers.Count} as in memory", $"{others} others");

        long value = stored.ExactCount + (long)Math.Round(Math.Clamp(stored.NewElements, stored.Changes, stored.Added));
        if (!held.IsTouched && value != held.Value)
            yield return ("distinct", $"{held.Value}", $"{value}");
    }

    private int CompareItems(ulong id, List<StoredItem> stored)
    {
        if (engine.ItemsAtCheckpoint(id) is not { } held)
            return 0;
        Dictionary<string, long> totals = stored.Where(i => i.Generation == held.Generation).ToDictionary(i => i.Item, i => i.Value, StringComparer.Ordinal);
        foreach ((string item, (long least, long most)) in held.Items)
        {
            // An approximate counter's item that was let go and came back has had something in between that only the store knows.
            long total = totals.GetValueOrDefault(item);
            if (total < least || total > most)
                differs("items", Where(id, item), least == most ? $"{least}" : $"{least} to {most}", $"{total}");
        }

        foreach ((string item, long total) in totals.Where(t => t.Value > held.Floor && !held.Items.ContainsKey(t.Key)))
            differs("items", Where(id, item), $"at most {held.Floor}", $"{total}");
        return held.Items.Count;
    }

    private static string Where(ulong id, string item) => string.Create(CultureInfo.InvariantCulture, $"'{Rest.Problem.Shorten(item)}' of counter {id}");
}
