namespace Sketch.Engine;

/// <summary>Counts by second of log time, to say how many a second came lately. One writer.</summary>
internal sealed class RateMeter
{
    private const int Seconds = 16;
    private const int Shown = 5;

    private readonly long[] _second = new long[Seconds];
    private readonly long[] _count = new long[Seconds];

    public void Add(long timeMs, long count)
    {
        long second = timeMs / 1000;
        int slot = (int)(second % Seconds);
        if (_second[slot] != second)
        {
            Volatile.Write(ref _count[slot], 0);
            Volatile.Write(ref _second[slot], second);
        }

        Volatile.Write(ref _count[slot], _count[slot] + count);
    }

    /// <summary>The mean of the last five whole seconds before the moment.</summary>
    public double At(DateTimeOffset now)
    {
        long current = now.ToUnixTimeSeconds();
        long sum = 0;
        for (int slot = 0; slot < Seconds; slot++)
        {
            long second = Volatile.Read(ref _second[slot]);
            if (second < current && second >= current - Shown)
            {
                sum += Volatile.Read(ref _count[slot]);
            }
        }

        return (double)sum / Shown;
    }
}
