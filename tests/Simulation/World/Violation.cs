namespace Sketch.Tests.Simulation.World;

/// <summary>The node broke a promise.</summary>
internal sealed class Violation(string message) : Exception(message);
