using Sketch.Engine.Elements;
using Sketch.Engine.Increments;

namespace Sketch.Engine.Fold;

/// <summary>What a view does with the log as it is folded: the live one fills sketches, the checkpointer's adds exactly.</summary>
internal interface IFoldSink
{
    /// <summary>The open window ended; what comes next belongs to the one after.</summary>
    void WindowClosed(in WindowSpan window);

    /// <summary>A batch that counts. Called once a batch, never once an increment.</summary>
    void Counted(NamespaceState owner, in IncrementPayload payload, in WindowSpan window);

    /// <summary>The elements of a batch that counts; its sums were given to <see cref="Counted"/> before.</summary>
    void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window);

    /// <summary>A counter begins anew at zero: at the start of a window, before any increment of it, and before its <see cref="CounterState.Generation"/> changes.</summary>
    /// <param name="owner">Its namespace.</param>
    /// <param name="id">Its id.</param>
    /// <param name="name">Its name.</param>
    /// <param name="deleted">Whether it is gone altogether, until it is defined or incremented again.</param>
    void Removed(NamespaceState owner, ulong id, string name, bool deleted);

    /// <summary>Other counters are about to go than before, or none: <see cref="LogFold.Expiring"/>. Not called when single ones are saved.</summary>
    void ExpiringChanged();

    /// <summary>A namespace was created or changed.</summary>
    void Defined(NamespaceState state);

    /// <summary>A counter was created or changed.</summary>
    void Defined(ulong id, CounterState state);
}

/// <summary>The positions of a window and what is in it.</summary>
/// <param name="From">Its first position.</param>
/// <param name="To">Its last position so far, included.</param>
/// <param name="FirstTimeMs">Log time of its first record that says anything.</param>
/// <param name="LastTimeMs">Log time of its last such record.</param>
/// <param name="Increments">Increments counted in it.</param>
/// <param name="Definitions">Definitions in it.</param>
internal readonly record struct WindowSpan(long From, long To, long FirstTimeMs, long LastTimeMs, long Increments, int Definitions)
{
    /// <summary>A window that holds nothing is never closed.</summary>
    public bool IsEmpty => FirstTimeMs == 0;
}
