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
        await using Rig rig = await Named();
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
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wrong_delta_is_named_wherever_it_stands(bool byNumber)
    {
        await using Rig rig = await Named();
        foreach (int place in Places)
        {
            foreach (long delta in (long[])[-1, long.MinValue, EngineLimits.MaxDelta + 1])
            {
                long[] deltas = [.. Enumerable.Repeat(1L, Rows)];
                deltas[place] = delta;
                using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
                Assert.Equal(("delta", place), (Add(rig, batch, byNumber, Ids(), deltas, out int at)?.Field, at));
            }
        }
    }

    [Fact]
    public async Task An_unknown_id_is_named_wherever_it_stands()
    {
        await using Rig rig = await Named();
        long[] deltas = [.. Enumerable.Repeat(1L, Rows)];
        foreach (int place in Places)
        {
            ulong[] ids = Ids();
            ids[place] = 12_345;
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            Assert.Equal(("id", place), (batch.Add(ids, deltas, out int at)?.Field, at));
        }
    }

    private static async Task<Rig> Named()
    {
        Rig rig = await Rig.Open(Tier.Approximate);
        await rig.Send("p", 1, [.. Enumerable.Range(0, Rows).Select(i => ($"c{i}", 1L))]);
        return rig;
    }

    private static Rejection? Add(Rig rig, IncrementBatch batch, bool byNumber, ulong[] ids, long[] deltas, out int at)
    {
        if (!byNumber)
        {
            return batch.Add(ids, deltas, out at);
        }

        NumberedNames names = new();
        int[] numbers = [.. Enumerable.Range(0, Rows)];
        using (IncrementBatch first = rig.Engine.RentBatch(Rig.Namespace)!)
        {
            Assert.All(numbers, i => Assert.Null(first.Declare(Encoding.UTF8.GetBytes($"c{i}"), names)));
            Assert.Null(first.Add(names, numbers, [.. numbers.Select(_ => 1L)], out _)); // each counter is looked at; from now on its number is enough
        }

        return batch.Add(names, numbers, deltas, out at);
    }

    private static ulong[] Ids() => [.. Enumerable.Range(0, Rows).Select(i => CounterId.Of(Rig.Namespace, $"c{i}"))];
}
