using Microsoft.Extensions.Time.Testing;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Windows;

namespace Sketch.Tests.Engine;

/// <summary>For how long windows stay open: 5 seconds, or as long as the store needs.</summary>
public sealed class WindowLengthTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 5)]
    [InlineData(8, 24)]
    [InlineData(3_600, 30)]
    public void A_window_of_five_seconds_stays_open_longer_for_a_slow_store_but_half_a_minute_at_most(int storeSeconds, int openSeconds) =>
        Assert.Equal(openSeconds * Second, WindowMarker.LongEnough(5 * Second, storeSeconds * Second));

    [Theory]
    [InlineData(8, 24)]
    [InlineData(28, 30)]
    public async Task A_window_stays_open_three_times_as_long_as_the_store_took_for_the_last_one(int storeSeconds, int openSeconds)
    {
        await using Rig rig = await Rig.Open(Tier.Eventual);
        await rig.Checkpoint();
        TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Store.StoreWait = answer.Task;
        int begun = rig.Store.StoresBegun;
        foreach (int[] some in Enumerable.Range(0, StoreTimes.Many).Chunk(10_000))
        {
            await rig.Send(null, 0, [.. some.Select(n => ($"n{n}", 1L))]);
        }

        Task checkpoint = rig.Checkpoint();
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        while (rig.Store.StoresBegun == begun)
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        rig.Time.Advance(storeSeconds * Second);
        answer.SetResult();
        await checkpoint;

        int stored = rig.Store.StoresBegun;
        int window = rig.Store.Checkpoints.Count;
        while (rig.Store.StoresBegun == stored)
        {
            late.Token.ThrowIfCancellationRequested();
            await rig.Add("a", 1);
            rig.Time.Advance(Second);
        }

        // Closed when it was so old: it holds the increment of the second before.
        await rig.Checkpoint();
        Checkpoint closed = rig.Store.Checkpoints[window];
        Assert.InRange((closed.LastTimeMs - closed.FirstTimeMs) / 1_000, openSeconds - 1, long.MaxValue);
    }

    [Fact]
    public async Task What_the_store_takes_is_known_while_it_takes_it_and_forgotten_once_it_is_long_ago()
    {
        FakeTimeProvider time = new();
        StoreTimes times = new(time);
        Assert.Equal(TimeSpan.Zero, times.Expected);
        await Store(4 * Second);
        Assert.Equal(4 * Second, times.Expected);

        TaskCompletionSource answer = new();
        Task storing = times.MeasureAsync(StoreTimes.Many, async _ => await answer.Task, default).AsTask();
        time.Advance(3 * Second);
        Assert.Equal(4 * Second, times.Expected);
        time.Advance(3 * Second);
        Assert.Equal(6 * Second, times.Expected);
        answer.SetResult();
        await storing;
        time.Advance(60 * Second);
        Assert.Equal(6 * Second, times.Expected);
        time.Advance(Second);
        Assert.Equal(TimeSpan.Zero, times.Expected);

        async Task Store(TimeSpan takes) => await times.MeasureAsync(
            StoreTimes.Many,
            _ =>
            {
                time.Advance(takes);
                return default;
            },
            default);
    }

    [Fact]
    public async Task A_try_that_failed_says_nothing_of_how_long_the_store_takes()
    {
        FakeTimeProvider time = new();
        StoreTimes times = new(time);
        await Assert.ThrowsAsync<CheckpointStoreException>(async () => await times.MeasureAsync(
            StoreTimes.Many,
            _ =>
            {
                time.Advance(20 * Second);
                throw new CheckpointStoreException("the store is away");
            },
            default));
        Assert.Equal(TimeSpan.Zero, times.Expected);
    }

    [Fact]
    public async Task What_the_store_takes_for_a_few_counters_keeps_no_window_open()
    {
        FakeTimeProvider time = new();
        StoreTimes times = new(time);
        TaskCompletionSource answer = new();
        Task storing = times.MeasureAsync(StoreTimes.Many - 1, async _ => await answer.Task, default).AsTask();
        time.Advance(20 * Second);
        Assert.Equal(TimeSpan.Zero, times.Expected);
        answer.SetResult();
        await storing;
        Assert.Equal(TimeSpan.Zero, times.Expected);
    }
}
