using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class HeavyHittersTests
{
    private static readonly SketchKey Key = new(5, 6);

    [Theory]
    [InlineData(0.8, 4_096)]
    [InlineData(1.0, 4_096)]
    [InlineData(1.2, 1_024)]
    public void Bounds_hold_for_every_id_and_the_heaviest_are_there(double exponent, int capacity)
    {
        ulong[] ids = Streams.Zipf(500_000, 200_000, exponent, seed: 1);
        uint[] deltas = Streams.Lognormal(ids.Length, seed: 2);
        HeavyHitters heavy = new(capacity, Key);
        for (int i = 0; i < ids.Length; i++)
            heavy.Add(ids[i], deltas[i]);

        Dictionary<ulong, long> truth = Streams.Count(ids, deltas);
        HeavyHitter[] entries = new HeavyHitter[capacity];
        int count = heavy.CopyTo(entries, out long offset);
        Assert.Equal(heavy.Count, count);
        Dictionary<ulong, HeavyHitter> byId = entries.Take(count).ToDictionary(e => e.Id);
        foreach ((ulong id, long weight) in truth)
        {
            if (byId.TryGetValue(id, out HeavyHitter entry))
                Assert.True(entry.Lower <= weight && weight <= entry.Upper);
            else
                Assert.True(weight <= offset);
        }

        // The check can fail: bounds cut in half would be wrong on either side, and so would half the offset.
        Assert.Contains(byId.Values, e => truth[e.Id] > (e.Lower + e.Upper) / 2);
        Assert.Contains(byId.Values, e => truth[e.Id] < (e.Lower + e.Upper) / 2);
        Assert.Contains(truth, t => !byId.ContainsKey(t.Key) && t.Value > offset / 2);

        Assert.Equal(truth.Values.Sum(), heavy.TotalWeight);
        Assert.True(offset <= 2.0 / capacity * heavy.TotalWeight);
        Assert.All(truth.OrderByDescending(t => t.Value).Take(100), t => Assert.Contains(t.Key, byId));
        // The very heaviest comes early and never leaves: it is nearly exact.
        KeyValuePair<ulong, long> first = truth.MaxBy(t => t.Value);
        Assert.True(byId[first.Key].Upper - byId[first.Key].Lower <= 0.01 * first.Value);
    }

    [Fact]
    public void Bounds_hold_for_weights_that_are_counted_elsewhere()
    {
        ulong[] ids = Streams.Zipf(500_000, 200_000, 1.0, seed: 1);
        uint[] deltas = Streams.Lognormal(ids.Length, seed: 2);
        HeavyHitters heavy = new(1_024, Key);
        Dictionary<ulong, long> truth = [];
        for (int i = 0; i < ids.Length; i++)
        {
            truth[ids[i]] = truth.GetValueOrDefault(ids[i]) + deltas[i];
            if (i % 3 == 0)
                heavy.Add(ids[i], deltas[i]); // a third of it is counted here
            heavy.Raise(ids[i], truth[ids[i]] * 9 / 8);
        }

        HeavyHitter[] entries = new HeavyHitter[heavy.Capacity];
        int count = heavy.CopyTo(entries, out long offset);
        Dictionary<ulong, HeavyHitter> byId = entries.Take(count).ToDictionary(e => e.Id);
        Assert.All(truth, t =>
        {
            if (byId.TryGetValue(t.Key, out HeavyHitter entry))
                Assert.True(0 <= entry.Lower && entry.Lower <= t.Value && t.Value <= entry.Upper);
            else
                Assert.True(t.Value <= offset);
        });
        Assert.Contains(byId.Values, e => e.Lower > 0);
        Assert.InRange(offset, 1, truth.Values.Max() / 10);

        // Its states hold what it counted itself, until it is used again.
        Assert.Throws<InvalidOperationException>(() => heavy.Save(new System.Buffers.ArrayBufferWriter<byte>()));
        heavy.Clear();
        heavy.Save(new System.Buffers.ArrayBufferWriter<byte>());
    }

    [Fact]
    public void Below_its_capacity_it_is_exact()
    {
        HeavyHitters heavy = new(100);
        for (ulong id = 0; id < 100; id++)
            heavy.Add(id, (long)id + 1);
        Assert.Equal(0, heavy.Offset);
        for (ulong id = 0; id < 100; id++)
            Assert.Equal(new HeavyHitter(id, (long)id + 1, (long)id + 1), heavy.Bounds(id));
        Assert.Equal(new HeavyHitter(777, 0, 0), heavy.Bounds(777));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(17)]
    public void Tiny_tables_keep_their_bounds_under_a_flood(int capacity)
    {
        HeavyHitters heavy = new(capacity, Key);
        Dictionary<ulong, long> truth = [];
        Random random = new(7);
        for (int i = 0; i < 20_000; i++)
        {
            ulong id = (ulong)random.Next(200);
            heavy.Add(id, 1 + random.Next(3));
            truth[id] = 0;
        }

        random = new Random(7);
        for (int i = 0; i < 20_000; i++)
            truth[(ulong)random.Next(200)] += 1 + random.Next(3);
        Assert.All(truth, t =>
        {
            HeavyHitter bounds = heavy.Bounds(t.Key);
            Assert.True(bounds.Lower <= t.Value && t.Value <= bounds.Upper);
        });
        Assert.True(heavy.Count <= capacity);
    }

    [Fact]
    public void Replicas_hold_the_same_entries_whatever_their_keys()
    {
        // The key only places entries in the table; what is kept must not depend on it.
        ulong[] ids = Streams.Zipf(100_000, 50_000, 0.9, seed: 3);
        HeavyHitters one = new(256, Key), other = new(256, new SketchKey(77, 78));
        foreach (ulong id in ids)
        {
            one.Add(id, 1);
            other.Add(id, 1);
        }

        HeavyHitter[] a = new HeavyHitter[256], b = new HeavyHitter[256];
        int countA = one.CopyTo(a), countB = other.CopyTo(b);
        Assert.Equal(a.Take(countA).OrderBy(e => e.Id), b.Take(countB).OrderBy(e => e.Id));
    }

    [Fact]
    public async Task Snapshots_while_the_writer_goes_on_keep_their_bounds()
    {
        ulong[] ids = Streams.Zipf(400_000, 30_000, 1.0, seed: 4);
        Dictionary<ulong, long> truth = Streams.Count(ids, Streams.Ones(ids.Length));
        HeavyHitters heavy = new(512, Key);
        bool done = false;
        Task<int> reader = Task.Run(() =>
        {
            HeavyHitter[] entries = new HeavyHitter[512];
            int snapshots = 0;
            do
            {
                int count = heavy.CopyTo(entries, out long offset);
                HashSet<ulong> seen = [];
                for (int i = 0; i < count; i++)
                {
                    Assert.True(seen.Add(entries[i].Id));
                    Assert.InRange(entries[i].Lower, 1, truth[entries[i].Id]);
                    Assert.True(entries[i].Upper > offset);
                }

                snapshots++;
            }
            while (!Volatile.Read(ref done));
            return snapshots;
        });
        foreach (ulong id in ids)
            heavy.Add(id, 1);
        Volatile.Write(ref done, true);
        Assert.True(await reader > 0);
    }

    [Fact]
    public void A_purge_keeps_those_above_the_median_whatever_their_size()
    {
        // Bounds close to each other are counted, bounds far apart are selected: both must cut at the same place.
        foreach (long scale in (long[])[1, 100, 1_000_000])
        {
            HeavyHitters heavy = new(64, Key);
            for (ulong id = 1; id <= 64; id++)
                heavy.Add(id, (long)id * scale);
            heavy.Add(1_000, 1);
            Assert.Equal((33, 32 * scale), (heavy.Count, heavy.Offset));
            Assert.Equal(new HeavyHitter(33, 33 * scale, 33 * scale), heavy.Bounds(33));
            Assert.Equal(new HeavyHitter(32, 0, 32 * scale), heavy.Bounds(32));
            Assert.Equal(new HeavyHitter(1_000, 1, 32 * scale + 1), heavy.Bounds(1_000));
        }
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(63, 2)]
    [InlineData(64, 3)]
    [InlineData(100, 4)]
    [InlineData(100, 20)]
    public void Purges_cut_where_sorting_would(int capacity, int largestDelta)
    {
        // Medians one, two, three and more above the offset, among many equal bounds, with the table's free slots in between.
        Random random = new(capacity * 100 + largestDelta);
        HeavyHitters heavy = new(capacity, Key);
        Dictionary<ulong, long> uppers = [];
        long offset = 0;
        HashSet<long> rises = [];
        for (int i = 0; i < 50_000; i++)
        {
            ulong id = (ulong)random.Next(20 * capacity);
            long delta = random.Next(1, largestDelta + 1);
            heavy.Add(id, delta);
            if (!uppers.ContainsKey(id) && uppers.Count == capacity)
            {
                long median = uppers.Values.Order().ElementAt((capacity - 1) / 2);
                rises.Add(median - offset);
                offset = median;
                uppers = uppers.Where(e => e.Value > median).ToDictionary();
            }

            uppers[id] = uppers.GetValueOrDefault(id, offset) + delta;
            Assert.Equal((offset, uppers.Count), (heavy.Offset, heavy.Count));
        }

        Assert.Contains(rises, r => largestDelta < 20 ? r <= 3 : r > 3);
        Assert.All(uppers, e => Assert.Equal(e.Value, heavy.Bounds(e.Key).Upper));
    }

    [Fact]
    public void Adding_allocates_nothing()
    {
        ulong[] ids = Streams.Zipf(20_000, 10_000, 0.5, seed: 5);
        HeavyHitters heavy = new(64, Key);
        HeavyHitter[] entries = new HeavyHitter[64];
        Assert.Equal(0, Allocations.Least(() =>
        {
            foreach (ulong id in ids)
                heavy.Add(id, 1);
            heavy.CopyTo(entries);
        }));
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new HeavyHitters(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HeavyHitters((1 << 24) + 1));
        HeavyHitters heavy = new(4);
        Assert.Throws<ArgumentOutOfRangeException>(() => heavy.Add(1, -1));
        Assert.Throws<ArgumentException>(() => heavy.CopyTo(new HeavyHitter[3]));
        heavy.Add(1, 0);
        Assert.Equal(0, heavy.Count);
    }

    [Fact]
    public void Clear_forgets_all()
    {
        HeavyHitters heavy = new(4);
        for (ulong id = 0; id < 100; id++)
            heavy.Add(id, 3);
        heavy.Clear();
        Assert.Equal((0, 0L, 0L), (heavy.Count, heavy.Offset, heavy.TotalWeight));
        Assert.Equal(new HeavyHitter(99, 0, 0), heavy.Bounds(99));
    }

    [Fact]
    public void Quickselect_finds_what_sorting_finds()
    {
        Random random = new(9);
        for (int length = 1; length <= 300; length++)
        {
            long[] values = [.. Enumerable.Range(0, length).Select(_ => (long)random.Next(1 + length / 2))];
            long[] sorted = [.. values.Order()];
            int rank = random.Next(length);
            Assert.Equal(sorted[rank], Selection.Smallest(values, rank));
        }
    }
}
