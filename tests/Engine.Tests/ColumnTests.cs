using System.Text;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

/// <summary>Columns are looked at several rows at a time; nobody sees that.</summary>
public sealed class ColumnTests
{
    private const int Rows = 600;
    private const long MostNarrow = (1 << 20) - 1;

    private static readonly int[] Places = [0, 1, 2, 3, 4, 7, 252, 255, 256, 257, 260, 511, 512, 596, 598, 599];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_is_larger_than_others_is_kept_as_it_is_wherever_it_stands(bool byNumber)
    {
        await using Rig rig = await Named(Tier.Approximate);
        foreach (int place in Places)
        {
            foreach (long delta in (long[])[200, 255, 256, 65_535, 65_536, MostNarrow, MostNarrow + 1, EngineLimits.MaxDelta])
            {
                long[] deltas = [.. Enumerable.Range(0, Rows).Select(i => (long)i % 100)];
                deltas[place] = delta;
                using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
                Assert.Null(Add(rig, batch, byNumber, Ids(), deltas, out _));

                IncrementPayload payload = new(batch.Encode().Span);
                Assert.Equal(Ids().Where((_, i) => deltas[i] <= MostNarrow), payload.ApproximateIds.ToArray());
                Assert.Equal(deltas.Where(d => d <= MostNarrow).Select(d => (uint)d), payload.ApproximateDeltas(new uint[Rows]).ToArray());
                Assert.Equal(Ids().Where((_, i) => deltas[i] > MostNarrow), payload.ExactIds.ToArray());
                Assert.Equal(deltas.Where(d => d > MostNarrow), payload.ExactDeltas.ToArray());
                Assert.Equal(deltas.Sum(), payload.Weight);
            }
        }
    }

    [Theory]
    [InlineData(Tier.Eventual)]
    [InlineData(Tier.Strong)]
    public async Task Exact_counters_take_deltas_either_way_and_one_of_another_tier_is_told_from_them_wherever_it_stands(Tier tier)
    {
        await using Rig rig = await Named(tier);
        Assert.Null(await rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition("other", Tier: Tier.Approximate), CancellationToken.None));
        long[] deltas = [.. Enumerable.Range(0, Rows).Select(i => i % 3 == 0 ? -EngineLimits.MaxDelta : i)];
        foreach (int place in Places)
        {
            (ulong[] ids, long[] some) = (Ids(), [.. deltas]);
            (ids[place], some[place]) = (CounterId.Of(Rig.Namespace, "other"), 7);
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            Assert.Null(batch.Add(ids, some, out _));

            IncrementPayload payload = new(batch.Encode().Span);
            Assert.Equal(ids.Where((_, i) => i != place), payload.ExactIds.ToArray());
            Assert.Equal(some.Where((_, i) => i != place), payload.ExactDeltas.ToArray());
            Assert.Equal([ids[place]], payload.ApproximateIds.ToArray());
            Assert.Equal((some.Sum(Math.Abs), tier == Tier.Strong), (payload.Weight, batch.IsStrong));
        }
    }

    [Theory]
    [InlineData(Tier.Eventual)]
    [InlineData(Tier.Approximate)]
    public async Task An_unknown_id_is_named_wherever_it_stands(Tier tier)
    {
        await using Rig rig = await Named(tier);
        long[] deltas = [.. Enumerable.Repeat(1L, Rows)];
        foreach (int place in Places)
        {
            ulong[] ids = Ids();
            ids[place] = 12_345;
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            Assert.Equal(("id", place), (batch.Add(ids, deltas, out int at)?.Field, at));
        }
    }

    [Theory]
    [InlineData(Tier.Approximate, false, -1)]
    [InlineData(Tier.Approximate, true, -1)]
    [InlineData(Tier.Approximate, false, EngineLimits.MaxDelta + 1)]
    [InlineData(Tier.Eventual, false, EngineLimits.MaxDelta + 1)]
    [InlineData(Tier.Eventual, true, long.MinValue)]
    public async Task A_wrong_delta_is_named_wherever_it_stands(Tier tier, bool byNumber, long delta)
    {
        await using Rig rig = await Named(tier);
        foreach (int place in Places)
        {
            long[] deltas = [.. Enumerable.Repeat(1L, Rows)];
            deltas[place] = delta;
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            Assert.Equal(("delta", place), (Add(rig, batch, byNumber, Ids(), deltas, out int at)?.Field, at));
        }
    }

    [Fact]
    public async Task Neighbours_of_one_counter_are_one_row_of_the_log_but_as_many_increments()
    {
        await using Rig rig = await Named(Tier.Approximate);
        NumberedNames names = Declared(rig);
        int[] numbers = [0, 0, 0, 1, 2, 2, 1, 3, 3, 4, 4, 4];
        long[] deltas = [1, 2, 3, 4, 5, 0, 7, MostNarrow, 1, 5, MostNarrow + 1, 6];
        using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Null(batch.Add(names, numbers, deltas, out _));

        IncrementPayload payload = new(batch.Encode().Span);
        ulong[] ids = Ids();
        Assert.Equal([ids[0], ids[1], ids[2], ids[1], ids[3], ids[3], ids[4]], payload.ApproximateIds.ToArray());
        Assert.Equal([6u, 4, 5, 7, (uint)MostNarrow, 1, 11], payload.ApproximateDeltas(new uint[Rows]).ToArray());
        Assert.Equal([ids[4]], payload.ExactIds.ToArray());
        Assert.Equal((12L, 12, deltas.Sum()), (payload.Count, batch.Count, payload.Weight));
    }

    [Fact]
    public async Task A_retry_is_known_whatever_rows_became_of_either_attempt()
    {
        await using Rig rig = await Named(Tier.Approximate);
        NumberedNames names = new();
        Task<IncrementResult> SendAsync(int[] numbers)
        {
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            Assert.All(Enumerable.Range(names.Count, 4 - names.Count), i => Assert.Null(batch.Declare(Encoding.UTF8.GetBytes($"c{i}"), names)));
            Assert.Null(batch.Add(names, numbers, [.. numbers.Select(_ => 1L)], out _));
            return rig.Engine.CommitAsync(batch, "numbers", 1, default).AsTask();
        }

        // At first each counter is looked at, and has a row for each increment; then its number is enough.
        IncrementResult first = await SendAsync([0, 0, 0, 1, 3]);
        IncrementResult again = await SendAsync([0, 0, 0, 1, 3]);
        Assert.Equal((IncrementStatus.Accepted, 5, false), (first.Status, first.Accepted, first.Duplicate));
        Assert.Equal((IncrementStatus.Accepted, 5, true), (again.Status, again.Accepted, again.Duplicate));
        Assert.Equal(IncrementStatus.ProducerShared, (await SendAsync([0, 0, 1, 1, 3])).Status);
        Assert.Equal(IncrementStatus.ProducerShared, (await SendAsync([0, 0, 0, 2, 3])).Status);
    }

    [Fact]
    public async Task Sorted_numbers_count_what_their_ids_count_whatever_is_joined()
    {
        await using Rig rig = await Named(Tier.Approximate);
        NumberedNames names = Declared(rig);
        Random random = new(11);
        ulong[] all = Ids();
        for (int rows = 1; rows <= 1_500; rows += random.Next(1, 60))
        {
            int distinct = random.Next(1, Rows);
            int[] numbers = [.. Enumerable.Range(0, rows).Select(_ => random.Next(distinct)).Order()];
            long[] deltas = [.. numbers.Select(_ => random.Next(20) == 0 ? random.NextInt64(MostNarrow - 10, MostNarrow + 10) : random.Next(300))];
            ulong[] ids = [.. numbers.Select(n => all[n])];
            using IncrementBatch byId = rig.Engine.RentBatch(Rig.Namespace)!, byNumber = rig.Engine.RentBatch(Rig.Namespace)!;
            Assert.Null(byId.Add(ids, deltas, out _));
            Assert.Null(byNumber.Add(names, numbers, deltas, out _));
            Assert.Equal(byId.Count, byNumber.Count);

            IncrementPayload plain = new(byId.Encode().Span), joined = new(byNumber.Encode().Span);
            Assert.Equal(Sums(plain), Sums(joined));
            Assert.Equal((plain.Count, plain.Weight, BatchContents.Of(plain)), (joined.Count, joined.Weight, BatchContents.Of(joined)));
            Assert.All(joined.ApproximateDeltas(new uint[rows]).ToArray(), d => Assert.InRange(d, 0u, (uint)MostNarrow));
        }
    }

    [Fact]
    public void A_log_of_the_release_before_is_read()
    {
        byte[] version2 = Convert.FromHexString(
            "0300" + "02" + "01" + "00000000" + "02000000" + "01000000" + "0900000000000000" + "0700000000000000" + "1100000000000000" + "2200000000000000" + "03" + "04" + "0100" + "61");
        IncrementPayload payload = new(version2);
        Assert.Equal([0x11ul, 0x22], payload.ApproximateIds.ToArray());
        Assert.Equal([3u, 4], payload.ApproximateDeltas(new uint[2]).ToArray());
        Assert.Equal((2L, 7L, 9L, 0ul), (payload.Count, payload.Weight, payload.DefinitionsAt, payload.JoinedIds));
        List<string> names = [];
        foreach (ReadOnlySpan<byte> name in payload.Names)
        {
            names.Add(Encoding.UTF8.GetString(name));
        }

        Assert.Equal(["a"], names);
        version2[2] = 1;
        Assert.Throws<InvalidDataException>(() => new IncrementPayload(version2).Count);
    }

    private static SortedDictionary<ulong, long> Sums(in IncrementPayload payload)
    {
        SortedDictionary<ulong, long> sums = [];
        ReadOnlySpan<uint> deltas = payload.ApproximateDeltas(new uint[payload.ApproximateCount]);
        for (int i = 0; i < deltas.Length; i++)
        {
            sums[payload.ApproximateIds[i]] = sums.GetValueOrDefault(payload.ApproximateIds[i]) + deltas[i];
        }

        for (int i = 0; i < payload.ExactCount; i++)
        {
            sums[payload.ExactIds[i]] = sums.GetValueOrDefault(payload.ExactIds[i]) + payload.ExactDeltas[i];
        }

        return sums;
    }

    private static async Task<Rig> Named(Tier tier)
    {
        Rig rig = await Rig.Open(tier);
        await rig.Send("p", 1, [.. Enumerable.Range(0, Rows).Select(i => ($"c{i}", 1L))]);
        return rig;
    }

    private static Rejection? Add(Rig rig, IncrementBatch batch, bool byNumber, ulong[] ids, long[] deltas, out int at)
    {
        if (!byNumber)
        {
            return batch.Add(ids, deltas, out at);
        }

        return batch.Add(Declared(rig), [.. Enumerable.Range(0, Rows)], deltas, out at);
    }

    private static NumberedNames Declared(Rig rig)
    {
        NumberedNames names = new();
        int[] numbers = [.. Enumerable.Range(0, Rows)];
        using IncrementBatch first = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.All(numbers, i => Assert.Null(first.Declare(Encoding.UTF8.GetBytes($"c{i}"), names)));
        Assert.Null(first.Add(names, numbers, [.. numbers.Select(_ => 1L)], out _)); // each counter is looked at; from now on its number is enough
        return names;
    }

    private static ulong[] Ids() => [.. Enumerable.Range(0, Rows).Select(i => CounterId.Of(Rig.Namespace, $"c{i}"))];
}
