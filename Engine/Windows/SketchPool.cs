using System.Collections.Concurrent;
using Sketch.Sketches;

namespace Sketch.Engine.Windows;

/// <summary>
/// Sketches for windows, each keyed anew by the deployment's secret and the window's position: every replica and replay makes the same one, and what
/// an attacker learns of collisions expires with the window. A retired sketch serves again: a reader that still looks at it finds that its view was
/// replaced, and reads again.
/// </summary>
internal sealed class SketchPool(long memoryBytes, byte[] secret, int logNumber)
{
    private const int Kept = 2;

    private readonly ConcurrentQueue<CountMinSketch> _free = new();

    public CountMinSketch Rent(long windowFrom)
    {
        SketchKey key = SketchKey.Derive(secret, "count-min of a window", logNumber, windowFrom);
        if (_free.TryDequeue(out CountMinSketch? sketch))
        {
            sketch.Clear(key);
            return sketch;
        }

        return new CountMinSketch(memoryBytes, key);
    }

    public void Return(CountMinSketch sketch)
    {
        if (_free.Count < Kept)
        {
            _free.Enqueue(sketch);
        }
    }
}
