using System.Globalization;
using Sketch.Accuracy;

namespace Sketch.Engine.Audit;

/// <summary>What the audit has seen of one namespace. The checkpointer adds windows; anyone may read the figures, which are replaced as a whole.</summary>
internal sealed class NamespaceAudit(string @namespace)
{
    /// <summary>Coverage is judged over so many windows: enough that chance evens out, few enough that what was good yesterday hides nothing.</summary>
    public const int RecentWindows = 60;

    private readonly Queue<WindowAudit> _recent = new();
    private CoverageTally[] _tallies = [];
    private long _windows;
    private long _counters;
    private long _aboveUpper;
    private long _largestError;
    private double _errors;
    private NamespaceAccuracy _figures = new(@namespace, 0, 0, 0, 0, 0, [], null, null);

    public NamespaceAccuracy Figures => Volatile.Read(ref _figures);

    public NamespaceAccuracy Add(WindowAudit audit, long from, long to, int sketched)
    {
        if (_tallies.Length == 0)
        {
            _tallies = [.. audit.Confidences.ToArray().Select(c => new CoverageTally(c))];
        }

        _recent.Enqueue(audit);
        Tally(audit, static (tally, a, i) => tally.Add(a.Counters, a.Covered(i), a.Ghosts));
        if (_recent.Count > RecentWindows)
        {
            Tally(_recent.Dequeue(), static (tally, a, i) => tally.Remove(a.Counters, a.Covered(i), a.Ghosts));
        }

        _windows++;
        _counters += audit.Counters;
        _aboveUpper += audit.AboveUpper;
        _largestError = Math.Max(_largestError, audit.LargestError);
        _errors += audit.Bias * audit.Counters;
        NamespaceAccuracy figures = new(
            @namespace,
            _windows,
            _counters,
            _aboveUpper,
            _errors / _counters,
            _largestError,
            [
                .. _tallies.Select(t => new BoundCoverage(
                    t.Confidence, _recent.Count, t.Counters, t.Covered, t.Coverage, t.StandardError, t.LeastCoverage, t.FallsShort)),
            ],
            new AuditedWindow(
                from, to, sketched, audit.Counters, audit.AboveUpper, audit.Bias, audit.LargestError,
                [.. Enumerable.Range(0, _tallies.Length).Select(i => (double)audit.Covered(i) / audit.Counters)]),
            Warning());
        Volatile.Write(ref _figures, figures);
        return figures;
    }

    private void Tally(WindowAudit audit, Action<CoverageTally, WindowAudit, int> change)
    {
        for (int i = 0; i < _tallies.Length; i++)
        {
            change(_tallies[i], audit, i);
        }
    }

    private string? Warning()
    {
        static string P(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";
        List<string> wrong =
        [
            .. _tallies.Where(t => t.FallsShort).Select(t =>
                $"bounds of {P(t.Confidence)} held for {P(t.Coverage)} of {t.Counters.ToString("N0", CultureInfo.InvariantCulture)} counters in the last "
                + $"{_recent.Count} windows, where at least {P(t.LeastCoverage)} is to be expected"),
        ];
        if (_recent.Sum(a => (long)a.AboveUpper) is > 0 and var above)
        {
            wrong.Add($"{above.ToString("N0", CultureInfo.InvariantCulture)} counters were above their upper bound, which must never be");
        }

        return wrong.Count == 0
            ? null
            : $"Bounds of approximate counters in '{@namespace}' are too narrow: {string.Join("; ", wrong)}. Exact totals are not affected.";
    }
}
