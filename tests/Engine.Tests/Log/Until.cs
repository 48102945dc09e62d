using System.Diagnostics;

namespace Sketch.Tests.Engine.Log;

/// <summary>Waits for a condition, with a deadline.</summary>
internal static class Until
{
    public static async Task True(Func<bool> condition)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < LogTesting.Deadline, "The condition did not come true in time.");
            await Task.Delay(1);
        }
    }
}
