using System.Collections.Concurrent;
using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Increments;

/// <summary>Keeps a few batches with their arrays, so that a busy door allocates none.</summary>
internal sealed class IncrementBatchPool(CounterCatalogue catalogue)
{
    private const int Kept = 64;

    private readonly ConcurrentQueue<IncrementBatch> _free = new();

    public IncrementBatch Rent(NamespaceEntry owner)
    {
        IncrementBatch batch = _free.TryDequeue(out IncrementBatch? kept) ? kept : new IncrementBatch(this, catalogue);
        batch.Begin(owner);
        return batch;
    }

    public void Return(IncrementBatch batch)
    {
        if (_free.Count < Kept)
        {
            _free.Enqueue(batch);
        }
    }
}
