namespace Sketch.Tests.Sketches;

/// <summary>Streams of ids for tests: seeded, so that every run sees the same.</summary>
public static class Streams
{
    /// <summary>SplitMix64: ids look like the 64-bit hashes of names that real ids are.</summary>
    public static ulong Id(ulong n)
    {
        ulong z = n + 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>Ids by Zipf's law over so many distinct ones, by inversion of the exact distribution.</summary>
    public static ulong[] Zipf(int length, int distinct, double exponent, int seed)
    {
        double[] cumulative = ZipfDistribution(distinct, exponent);
        Random random = new(seed);
        ulong[] ids = new ulong[length];
        for (int i = 0; i < length; i++)
            ids[i] = Id((ulong)DrawRank(cumulative, random));
        return ids;
    }

    /// <summary>Sums of rank^-exponent, to draw from.</summary>
    public static double[] ZipfDistribution(int distinct, double exponent)
    {
        double[] cumulative = new double[distinct];
        double sum = 0;
        for (int i = 0; i < distinct; i++)
            cumulative[i] = sum += Math.Pow(i + 1, -exponent);
        return cumulative;
    }

    /// <summary>A rank, from 0.</summary>
    public static int DrawRank(double[] cumulative, Random random)
    {
        int at = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
        return Math.Min(at < 0 ? ~at : at, cumulative.Length - 1);
    }

    /// <summary>The truth.</summary>
    public static Dictionary<ulong, long> Count(ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas)
    {
        Dictionary<ulong, long> truth = [];
        for (int i = 0; i < ids.Length; i++)
        {
            ref long sum = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(truth, ids[i], out _);
            sum += deltas[i];
        }

        return truth;
    }

    public static uint[] Ones(int length)
    {
        uint[] ones = new uint[length];
        Array.Fill(ones, 1u);
        return ones;
    }

    /// <summary>Lognormal deltas, 1 to 100,000.</summary>
    public static uint[] Lognormal(int length, int seed)
    {
        Random random = new(seed);
        uint[] deltas = new uint[length];
        for (int i = 0; i < length; i++)
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            deltas[i] = (uint)Math.Clamp(Math.Exp(2 + 1.5 * normal), 1, 100_000);
        }

        return deltas;
    }
}
