using System.Diagnostics;

namespace Sketch.Tests.Realtime;

internal static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static async Task TrueAsync(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, $"Waited {Deadline} for {what}.");
            await Task.Delay(2);
        }
    }
}
