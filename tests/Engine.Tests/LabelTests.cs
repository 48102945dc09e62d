using Sketch.Engine.Catalogue;

namespace Sketch.Tests.Engine;

public sealed class LabelTests
{
    [Fact]
    public async Task Counters_are_found_by_all_of_the_labels_asked_for_through_changes_deletion_and_restart()
    {
        await using Rig rig = await Rig.Open();
        await Define(rig, "b", ("lang", "en"), ("team", "core"));
        await Define(rig, "a", ("lang", "en"));
        await Define(rig, "c", ("lang", "de"), ("team", "core"));
        await Define(rig, "plain");
        await rig.Add("counted", 1);
        Assert.Null(await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition("other"), default));
        Assert.Null(await rig.Engine.DefineCounterAsync("other", new CounterDefinition("x", Labels: new Dictionary<string, string> { ["lang"] = "en" }), default));

        Assert.Equal(["a", "b"], Find(rig, ("lang", "en")));
        Assert.Equal(["b"], Find(rig, ("lang", "en"), ("team", "core")));
        Assert.Equal(["a", "b", "c"], Find(rig, ("lang", "")));
        Assert.Empty(Find(rig, ("lang", "fr")));
        Assert.Empty(Find(rig, ("lang", "en"), ("nobody", "")));
        Assert.Equal(["a", "b"], rig.Engine.FindLabelled(Rig.Namespace, new Dictionary<string, string> { ["lang"] = "" }, 2));

        await Define(rig, "a", ("lang", "fr"));
        Assert.Null(await rig.Engine.DeleteCounterAsync(Rig.Namespace, "b", default));
        Assert.Empty(Find(rig, ("lang", "en")));
        Assert.Equal(["a", "c"], Find(rig, ("lang", "")));

        await rig.Checkpoint();
        await rig.Restart();
        Assert.Equal(["a"], Find(rig, ("lang", "fr")));
        Assert.Equal(["a", "c"], Find(rig, ("lang", "")));
        await Define(rig, "a");
        Assert.Equal(["c"], Find(rig, ("lang", "")));
    }

    private static async Task Define(Rig rig, string name, params (string, string)[] labels) => Assert.Null(await rig.Engine.DefineCounterAsync(
        Rig.Namespace, new CounterDefinition(name, Labels: labels.ToDictionary(l => l.Item1, l => l.Item2)), default));

    private static IReadOnlyList<string> Find(Rig rig, params (string, string)[] labels) =>
        rig.Engine.FindLabelled(Rig.Namespace, labels.ToDictionary(l => l.Item1, l => l.Item2), 1_000);
}
