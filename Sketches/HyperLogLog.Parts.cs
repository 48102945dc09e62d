namespace Sketch.Sketches;

/// <content>Estimates and states from parts that are kept elsewhere: see <see cref="DistinctTable"/>.</content>
public sealed partial class HyperLogLog
{
    /// <summary>From so many tokens. Two elements share an index with a chance of 2^-26: the correction stays far below one element.</summary>
    internal static double EstimateTokens(int tokens) => -HyperLogLogToken.IndexCount * Math.Log(1 - tokens / HyperLogLogToken.IndexCount);

    /// <summary>From registers.</summary>
    internal static double EstimateRegisters(ReadOnlySpan<byte> registers, int precision)
    {
        Span<int> histogram = stackalloc int[64];
        RegisterKernels.Histogram(registers, histogram);
        return CorrectedRawEstimator.Estimate(histogram[..(64 - precision)]);
    }

    /// <summary>A sparse state of these tokens, in any order, each once.</summary>
    internal static HyperLogLog FromTokens(ulong keyId, int precision, uint[] tokens)
    {
        Array.Sort(tokens);
        return new HyperLogLog(keyId, precision) { _words = tokens, _tokenCount = tokens.Length };
    }

    /// <summary>A dense state of these registers.</summary>
    internal static HyperLogLog FromRegisters(ulong keyId, int precision, ReadOnlySpan<byte> registers)
    {
        HyperLogLog state = new(keyId, precision);
        state.BecomeDense();
        registers.CopyTo(state.Registers);
        state.ChangeWeight = Unknown;
        return state;
    }
}
