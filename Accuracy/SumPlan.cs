using System.Globalization;

namespace Sketch.Accuracy;

/// <summary>A count-min sketch for a wish, and what to expect of it.</summary>
/// <param name="MemoryBytes">Of an open window's sketch.</param>
/// <param name="Width">Cells a row.</param>
/// <param name="Depth">Rows.</param>
/// <param name="WindowSeconds">How long a window may be open: the wish's, or shorter where memory did not suffice.</param>
/// <param name="WindowWeight">What is counted in a window.</param>
/// <param name="ErrorAtMost">At the confidence, however the weight is spread over ids.</param>
/// <param name="ErrorIfEven">At the confidence, if all ids weigh the same: the worst case that is likely.</param>
/// <param name="Confidence">How often errors stay within.</param>
/// <param name="Fulfilled">False when no window of a second or more within the memory limit keeps the wish.</param>
public sealed record SumPlan(
    long MemoryBytes,
    long Width,
    int Depth,
    double WindowSeconds,
    double WindowWeight,
    double ErrorAtMost,
    double ErrorIfEven,
    double Confidence,
    bool Fulfilled)
{
    /// <summary>The plan in words.</summary>
    public string Explain()
    {
        string F(double number, string format = "N0") => number.ToString(format, CultureInfo.InvariantCulture);
        string memory = MemoryBytes >= 1 << 20 ? $"{F(MemoryBytes / 1048576.0, "0.#")} MiB" : $"{F(MemoryBytes / 1024.0, "0.#")} KiB";
        string text =
            $"A sketch of {memory} a window: {Depth} rows of {F(Width)} cells. A window of {F(WindowSeconds, "0.##")} s counts about {F(WindowWeight)}. " +
            $"An estimate is never too low. It is too high by at most {F(Math.Ceiling(ErrorAtMost))} in {F(Confidence * 100, "0.###")} % of cases, " +
            $"however the increments are spread, and by about {F(Math.Ceiling(ErrorIfEven))} if all ids count the same; conservative update usually does better, " +
            "and every value comes with the bound that its own window shows. At the checkpoint the error becomes 0.";
        if (WindowWeight >= uint.MaxValue)
            text += " One id that gets more than 4,294,967,295 in a window saturates its cells and loses its upper bound until the checkpoint: shorten the window or make it strong.";
        if (!Fulfilled)
            text += " This does not keep the wish: allow more memory or a larger error, or take the tier eventual, which is exact.";
        return text;
    }
}
