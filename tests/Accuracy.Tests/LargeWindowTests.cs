using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

/// <summary>
/// A sixteenth of a large window: 64 MiB, 10^8 increments and 10^7 ids become 4 MiB, 6,250,000 and 625,000. The whole one is
/// `dotnet run -c Release --project bench/Sketches.Bench -- accuracy large`.
/// </summary>
public sealed class LargeWindowTests
{
    private const int Increments = 6_250_000, Distinct = 625_000;
    private const long Memory = 4 << 20;

    private static readonly Lazy<(ulong[] Ids, Dictionary<ulong, long> Truth)> Window = new(() =>
    {
        ulong[] ids = Streams.Zipf(Increments, Distinct, 1.0, seed: 17);
        return (ids, Streams.Count(ids, Streams.Ones(Increments)));
    });

    private static (long P99, double TrafficExact, long Quantile99) Measure(long memory)
    {
        (ulong[] ids, Dictionary<ulong, long> truth) = Window.Value;
        CountMinSketch sketch = new(memory, new SketchKey(1, 2));
        sketch.Add(ids, Streams.Ones(Increments));
        long[] errors = new long[truth.Count];
        long exact = 0;
        int at = 0;
        foreach ((ulong id, long sum) in truth)
        {
            errors[at] = sketch.Estimate(id) - sum;
            Assert.True(errors[at] >= 0);
            exact += errors[at++] == 0 ? sum : 0;
        }

        Array.Sort(errors);
        GhostSample ghosts = new(new SketchKey(5, 6), 8_192);
        ghosts.Evaluate([sketch]);
        return (errors[(int)(errors.Length * 0.99)], (double)exact / Increments, ghosts.Quantile(0.99));
    }

    [Fact]
    public void Errors_are_small_and_most_traffic_is_exact()
    {
        (long p99, double exact, long quantile) = Measure(Memory);
        Assert.InRange(p99, 0, 5);
        Assert.InRange(exact, 0.95, 1);
        Assert.InRange(quantile, p99, 2 * p99 + 5);
    }

    [Fact]
    public void With_half_the_memory_they_would_not_be()
    {
        (long p99, double exact, _) = Measure(Memory / 2);
        Assert.True(p99 > 5 && exact < 0.95, $"{p99}, {exact}");
    }
}
