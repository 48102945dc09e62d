using System.Buffers.Binary;

namespace Sketch.Server.Commands.Bench;

/// <summary>How old what dashboards show becomes: counted frames and a histogram by the millisecond, shared by all connections.</summary>
internal sealed class FrameAges
{
    private const int MaxMs = 120_000;
    private readonly int[] _byMs = new int[MaxMs + 1];
    private long _frames;
    private long _bytes;
    private long _values;

    /// <summary>Frames so far.</summary>
    public long Frames => Interlocked.Read(ref _frames);

    /// <summary>Their bytes, as they came.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>The values in them.</summary>
    public long Values => Interlocked.Read(ref _values);

    /// <summary>A frame came; what it replaces was this old.</summary>
    public void Add(int bytes, int values, double ageMs)
    {
        Interlocked.Increment(ref _frames);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Add(ref _values, values);
        Interlocked.Increment(ref _byMs[(int)Math.Clamp(ageMs, 0, MaxMs)]);
    }

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        Array.Clear(_byMs);
        Interlocked.Exchange(ref _frames, 0);
        Interlocked.Exchange(ref _bytes, 0);
        Interlocked.Exchange(ref _values, 0);
    }

    /// <summary>The age, in milliseconds, that this part of the frames did not exceed.</summary>
    public double Quantile(double part)
    {
        long left = (long)Math.Ceiling(_byMs.Sum(count => (long)count) * part);
        for (int ms = 0; ms <= MaxMs; ms++)
        {
            left -= _byMs[ms];
            if (left <= 0)
                return ms;
        }

        return MaxMs;
    }

    /// <summary>How many values a frame holds: the length of its array.</summary>
    public static int CountValues(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<byte> array = frame[(frame.IndexOf("values"u8) + 6)..];
        return array[0] == 0xdc ? BinaryPrimitives.ReadUInt16BigEndian(array[1..]) : array[0] & 0x0f;
    }

    /// <summary>A frame's asOf, found in its MessagePack: a timestamp of 32 or 64 bits.</summary>
    public static DateTime AsOf(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<byte> stamp = frame[(frame.IndexOf("asOf"u8) + 4)..];
        if (stamp[0] == 0xd6)
            return DateTime.UnixEpoch.AddSeconds(BinaryPrimitives.ReadUInt32BigEndian(stamp[2..]));
        ulong both = BinaryPrimitives.ReadUInt64BigEndian(stamp[2..]);
        return DateTime.UnixEpoch.AddSeconds(both & 0x3_ffff_ffff).AddTicks((long)(both >> 34) / 100);
    }
}
