namespace Sketch.Accuracy;

/// <summary>
/// A value with how wrong it can be: the truth lies in [<paramref name="Lower"/>, <paramref name="Upper"/>] with probability
/// of at least <paramref name="Confidence"/>. An exact value has Lower = Value = Upper.
/// </summary>
/// <param name="Value">The best single answer.</param>
/// <param name="Lower">The truth is not below this.</param>
/// <param name="Upper">The truth is not above this.</param>
/// <param name="Confidence">The probability, in (0, 1], that both bounds hold; 1 for an exact value.</param>
public readonly record struct Estimate(long Value, long Lower, long Upper, double Confidence)
{
    /// <summary>True when there is no doubt: the bounds meet, and not only probably.</summary>
    public bool IsExact => Lower == Value && Value == Upper && Confidence >= 1;

    /// <summary>Narrows the bounds by others that are certain (those of a heavy-hitter table, for instance); the value follows.</summary>
    /// <param name="lower">The truth is certainly not below this.</param>
    /// <param name="upper">The truth is certainly not above this.</param>
    /// <remarks>Where a certain bound contradicts a probable one, the certain one wins, and the result is the certain interval's edge.</remarks>
    public Estimate Intersect(long lower, long upper)
    {
        long low = Math.Min(Math.Max(Lower, lower), upper);
        long high = Math.Max(Math.Min(Upper, upper), low);
        return lower == upper ? Exact(lower) : new Estimate(Math.Clamp(Value, low, high), low, high, Confidence);
    }

    /// <summary>An exact value.</summary>
    public static Estimate Exact(long value) => new(value, value, value, 1);
}
