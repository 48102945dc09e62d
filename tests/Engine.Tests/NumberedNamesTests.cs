using System.Runtime.InteropServices;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

public sealed class NumberedNamesTests
{
    [Fact]
    public void What_was_found_out_about_a_number_holds_until_a_definition_comes()
    {
        NumberedNames names = new();
        names.Skip(200);
        names.Judge(definitionsAt: 7);
        Assert.Empty(Usual(names));

        int[] found = [0, 63, 64, 130, 199];
        Array.ForEach(found, names.SetUsual);
        names.Skip(100);
        names.Judge(definitionsAt: 7);
        Assert.Equal(found, Usual(names));

        names.Judge(definitionsAt: 8);
        Assert.Empty(Usual(names));
    }

    [Fact]
    public void Nothing_of_former_names_holds_for_later_ones()
    {
        NumberedNames names = new();
        names.Skip(200);
        names.Judge(definitionsAt: 7);
        Array.ForEach([0, 63, 64, 130, 199], names.SetUsual);

        names.Clear();
        names.Skip(2);
        names.Judge(definitionsAt: 7);
        names.Skip(198);
        Assert.Empty(Usual(names));
    }

    private static int[] Usual(NumberedNames names) => [.. Enumerable.Range(0, names.Count).Where(n => NumberedNames.IsSet(ref MemoryMarshal.GetReference(names.Usual), n))];
}
