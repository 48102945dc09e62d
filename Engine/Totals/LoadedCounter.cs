namespace Sketch.Engine.Totals;

/// <summary>What <see cref="CounterTable.Load"/> found a counter of the store to be.</summary>
internal enum LoadedCounter
{
    /// <summary>It had no entry.</summary>
    New,

    /// <summary>The log had named it since.</summary>
    Known,

    /// <summary>It is deleted.</summary>
    Removed,
}
