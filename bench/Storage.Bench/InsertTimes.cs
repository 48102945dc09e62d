using System.Diagnostics;

namespace Sketch.Bench.Storage;

/// <summary>How long the inserts of a window take by table: one begins when the one before it has ended.</summary>
internal sealed class InsertTimes
{
    private readonly List<(string Table, TimeSpan Took)> _took = [];
    private string? _table;
    private long _started;

    public void Begin(string table)
    {
        End();
        (_table, _started) = (table, Stopwatch.GetTimestamp());
    }

    /// <summary>The times since the last call, the window's last insert included.</summary>
    public IReadOnlyList<(string Table, TimeSpan Took)> Take()
    {
        End();
        (string, TimeSpan)[] tables = [.. _took.GroupBy(t => t.Table).Select(g => (g.Key, TimeSpan.FromTicks(g.Sum(t => t.Took.Ticks))))];
        _took.Clear();
        return tables;
    }

    private void End()
    {
        if (_table is not null)
            _took.Add((_table, Stopwatch.GetElapsedTime(_started)));
        _table = null;
    }
}
