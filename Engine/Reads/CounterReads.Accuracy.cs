using System.Globalization;
using Sketch.Engine.Catalogue;
using Sketch.Sketches;

namespace Sketch.Engine.Reads;

/// <content>Why a value has the bounds that it has.</content>
internal sealed partial class CounterReads
{
    /// <summary>A counter's value with what its bounds are made of; null when there is none, or its total is not in memory.</summary>
    public CounterAccuracy? Explain(NamespaceEntry owner, string name, double confidence, LoadedTotals loaded, out IReadOnlyList<ulong> missing)
    {
        missing = [];
        Target target = Find(owner, name);
        if (!target.Exists)
        {
            return null;
        }

        // Looked at within the cut: a sketch that has retired since may serve another window.
        CountMinSketch[] sketches = [];
        long textbook = 0;
        Target[] Look(LiveView seen)
        {
            sketches = [.. seen.Windows.Select(w => w.Sketch).OfType<CountMinSketch>()];
            textbook = (long)Math.Ceiling(sketches.Sum(s => Math.E * s.TotalWeight / s.Width));
            return [target];
        }

        Seen cut = Take(1, Look, atOnePosition: false, confidence, loaded);
        missing = Missing(cut);
        if (missing.Count > 0)
        {
            return null;
        }

        (Parts[] parts, (long Quantile, long Median) error) = (cut.Parts, cut.Error);
        CounterValue value = ToValue(owner, cut, 0, confidence);
        if (target.Counter is { Kind: CounterKind.Distinct })
        {
            // Lower is what certainly counts; no count-min sketch takes part.
            return new CounterAccuracy(value, value.Exact ? value.Value : 0, 0, 0, null, 0, false, 0, null, WordsOfDistinct(value));
        }

        SketchShape? shape = sketches.Length == 0 ? null : new SketchShape(sketches[0].MemoryBytes, sketches[0].Width, CountMinSketch.Depth);
        bool isSketched = parts[0].Sketched > 0;
        return new CounterAccuracy(
            value,
            parts[0].Exact + parts[0].Live,
            parts[0].Sketched,
            error.Median,
            isSketched && error.Quantile != long.MaxValue ? error.Quantile : null,
            textbook,
            parts[0].Saturated,
            sketches.Length,
            shape,
            Words(value, parts[0], error, textbook, sketches.Length, shape));
    }

    private static string WordsOfDistinct(CounterValue value)
    {
        if (value.Exact)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"Exactly {value.Value:N0} distinct elements: the tier keeps the elements themselves, or none came that could have been missed.");
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"About {value.Value:N0} distinct elements: the elements themselves are not kept; their number is estimated from how each of them changed a HyperLogLog, since the counter began or became approximate. The truth is between {value.Lower:N0} and {value.Upper:N0} in {value.Confidence * 100:0.####} % of cases. Checkpoints do not make it exact.");
    }

    private static string Words(
        CounterValue value, in Parts parts, (long Quantile, long Median) error, long textbook, int windows, SketchShape? shape)
    {
        static string N(double number) => number.ToString("N0", CultureInfo.InvariantCulture);
        string asOf = value.ExactAsOf.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        if (value.Tier != "approximate" && parts.Sketched == 0)
        {
            return $"The tier {value.Tier} keeps every increment exactly: {N(value.Value)} is the sum of all that were read so far.";
        }

        if (parts.Sketched == 0)
        {
            return $"Exactly {N(value.Value)}: nothing was added since the last checkpoint ({asOf}), or the window's sketch would not say 0.";
        }

        string words =
            $"{N(parts.Exact + parts.Live)} is exact, as of {asOf}. Since then {N(windows)} window{(windows == 1 ? "" : "s")} "
            + $"hold{(windows == 1 ? "s" : "")} the counter in a count-min sketch of {N(shape!.MemoryBytes)} bytes ({shape.Depth} rows of {N(shape.Width)} cells), which says {N(parts.Sketched)}: ";
        if (parts.Saturated)
        {
            return words + "its cells are full, so that this is only a lower limit of what they would have held; there is no upper bound until the checkpoint.";
        }

        words += "never too little, but too much where other counters share all its cells. ";
        string sure = (value.Confidence * 100).ToString("0.####", CultureInfo.InvariantCulture) + " %";
        words += error.Quantile == long.MaxValue
            ? $"The ids that nobody added, which show by how much, are too few for {sure}: the lower bound is the exact part. "
            : $"Ids that nobody added show by how much: half of them read {N(error.Median)} or less, and {sure} read {N(error.Quantile)} or less "
                + $"(a textbook bound would be {N(textbook)}). So the truth is between {N(value.Lower)} and {N(value.Upper)} in {sure} of cases. ";
        return words + "At the checkpoint the error becomes 0.";
    }
}
