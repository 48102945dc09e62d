using Microsoft.Extensions.Logging;
using Sketch.Engine.Appends;
using Sketch.Engine.Audit;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Engine.Windows;

namespace Sketch.Engine;

/// <summary>What an engine is made of, once loaded.</summary>
internal sealed record EngineParts(
    EngineOptions Options,
    IIncrementLog Log,
    ICheckpointStore Store,
    TimeProvider Time,
    CounterCatalogue Catalogue,
    PendingAppends Pending,
    LiveViews Views,
    LogFollower Follower,
    Checkpointer Checkpointer,
    WindowMarker Marker,
    CounterReads Reads,
    ColdReads ColdReads,
    AccuracyAudit Audit,
    ILogger<CountingEngine> Logger);
