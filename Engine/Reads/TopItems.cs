namespace Sketch.Engine.Reads;

/// <summary>The largest items of a counter of the kind top, largest first, as one consistent cut.</summary>
/// <param name="Namespace">The counter's namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="ExactAsOf">Up to this moment every increment is counted exactly; the bounds cover only what came later.</param>
/// <param name="Items">At most as many as were asked for.</param>
public sealed record TopItems(string Namespace, string Name, DateTimeOffset ExactAsOf, IReadOnlyList<TopItemValue> Items);

/// <summary>One item. Its bounds are certain.</summary>
/// <param name="Item">The item.</param>
/// <param name="Value">The best single answer.</param>
/// <param name="Lower">The truth is not below this.</param>
/// <param name="Upper">The truth is not above this.</param>
/// <param name="Certain">True when it certainly belongs here: no item that is left out can be larger than it.</param>
/// <param name="Exact">True only when lower, value and upper are the same.</param>
public sealed record TopItemValue(string Item, long Value, long Lower, long Upper, bool Certain, bool Exact);
