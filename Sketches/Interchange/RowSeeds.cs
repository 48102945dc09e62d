namespace Sketch.Sketches;

/// <summary>
/// The row seeds of DataSketches' count-min: what GNU's standard C++ library draws as std::uniform_int_distribution over 64 bits from
/// std::default_random_engine (minstd_rand0, x = 16807 x mod 2^31 - 1), plus the seed. The C++ standard leaves both open: a sketch
/// that was written by a build with another standard library has other rows and reads here as noise.
/// </summary>
internal static class RowSeeds
{
    private const ulong Modulus = int.MaxValue;
    private const ulong Span = Modulus - 1; // the engine's values, 1 to Modulus - 1

    public static ulong[] Of(ulong seed, int rows)
    {
        ulong state = seed % Modulus;
        if (state == 0)
            state = 1;
        ulong[] seeds = new ulong[rows];
        for (int row = 0; row < rows; row++)
            seeds[row] = unchecked(Draw(ref state, ulong.MaxValue) + seed);
        return seeds;
    }

    // 0 to most: digits to the base of the engine's span, each wider one drawn the same way, again when it comes out too large.
    private static ulong Draw(ref ulong state, ulong most)
    {
        if (most < Span - 1)
        {
            ulong scale = (Span - 1) / (most + 1), past = (most + 1) * scale, drawn;
            do
                drawn = Next(ref state);
            while (drawn >= past);
            return drawn / scale;
        }

        if (most == Span - 1)
            return Next(ref state);
        while (true)
        {
            ulong upper = unchecked(Span * Draw(ref state, most / Span));
            ulong drawn = unchecked(upper + Next(ref state));
            if (drawn <= most && drawn >= upper)
                return drawn;
        }
    }

    private static ulong Next(ref ulong state)
    {
        state = state * 16807 % Modulus;
        return state - 1;
    }
}
